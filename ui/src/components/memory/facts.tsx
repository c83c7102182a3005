import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";
import { CopyButton } from "../copy-button";
import { Time } from "../time";

/** What there is to say about a memory beside its text. What is not known is not listed. */
export function Facts({ memory }: { memory: Schemas["MemoryOne"] }) {
  const time = (at: string | number | null) => at !== null && <Time at={at} />;
  const rows: [string, ReactNode][] = [
    ["App", memory.app_name],
    ["Owner", memory.user_id],
    ["Type", memory.memory_type],
    ["Author", memory.author],
    ["Agent", memory.agent_id],
    ["Session", memory.run_id],
    ["Happened", time(memory.occurred_at)],
    ["Created", time(memory.created_at)],
    ["Changed", memory.version > 1 && time(memory.updated_at)],
    ["Archived", time(memory.archived_at)],
    ["Expires", time(memory.expires_at)],
    ["Version", memory.version],
  ];
  return (
    <dl className="grid grid-cols-[5.5rem_minmax(0,1fr)] gap-x-3 gap-y-1.5">
      {rows
        .filter(([, value]) => value)
        .map(([name, value]) => (
          <div key={name} className="contents">
            <dt className="text-muted-foreground">{name}</dt>
            <dd className="break-words">{value}</dd>
          </div>
        ))}
      <dt className="self-center text-muted-foreground">Id</dt>
      <dd className="flex items-center gap-1">
        <code className="min-w-0 font-mono text-xs break-all">{memory.id}</code>
        <CopyButton text={memory.id} label="Copy the id" />
      </dd>
    </dl>
  );
}

/** A JSON object by its keys. */
export function Pairs({ of }: { of: Record<string, unknown> }) {
  return (
    <dl className="grid grid-cols-[minmax(5.5rem,auto)_minmax(0,1fr)] gap-x-3 gap-y-1.5">
      {Object.entries(of).map(([key, value]) => (
        <div key={key} className="contents">
          <dt className="font-mono text-[0.8125rem] break-all text-muted-foreground">{key}</dt>
          <dd className="break-words whitespace-pre-wrap">
            {typeof value === "string" ? value : JSON.stringify(value)}
          </dd>
        </div>
      ))}
    </dl>
  );
}
