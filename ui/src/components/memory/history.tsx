"use client";

import { RotateCcw } from "lucide-react";
import { useState } from "react";
import type { Schemas } from "@/api/client";
import { useHistory, useRestore } from "@/api/memory";
import { useMe } from "@/api/session";
import { StateBadge } from "../memories/state-badge";
import { Section } from "../page-header";
import { Pager } from "../pager";
import { Failure } from "../states";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";

type Version = Schemas["VersionItem"];

const EVENTS: Record<string, string> = {
  ADD: "Made",
  UPDATE: "Changed",
  PAUSE: "Paused",
  RESUME: "Active again",
  ARCHIVE: "Archived",
  DELETE: "Deleted",
  RESTORE: "Restored",
  UNDO: "Undone",
  EXPIRE: "Expired",
  LABEL: "Labelled",
};

/** Every version with what it changed, and the way back to it. */
export function History({ id, current, mayRestore }: { id: string; current: number | null; mayRestore: boolean }) {
  const [page, setPage] = useState(1);
  const history = useHistory(id, page);
  const restore = useRestore(id);
  return (
    <Section title="History">
      {history.isError && <Failure error={history.error} retry={() => void history.refetch()} />}
      {history.isPending && <Skeleton className="h-24 w-full" />}
      <ol className="grid gap-0">
        {history.data?.items.map((version) => (
          <VersionItem
            key={version.version}
            version={version}
            isCurrent={version.version === current}
            onRestore={mayRestore && version.version !== current ? () => restore.mutate(version.version) : undefined}
          />
        ))}
      </ol>
      {history.data && (history.data.total ?? 0) > 10 && (
        <Pager page={page} size={10} total={history.data.total ?? 0} onPage={setPage} />
      )}
    </Section>
  );
}

type VersionItemProps = { version: Version; isCurrent: boolean; onRestore?: () => void };

function VersionItem({ version, isCurrent, onRestore }: VersionItemProps) {
  const me = useMe();
  const { changes } = version;
  return (
    <li className="relative border-l pb-5 pl-5 last:pb-0" aria-label={`Version ${version.version}`}>
      <span
        aria-hidden
        className={`absolute top-1.5 -left-[5px] size-[9px] rounded-full border-2 border-background ${isCurrent ? "bg-accent" : "bg-input"}`}
      />
      <div className="flex min-h-8 flex-wrap items-center gap-x-2">
        <span className="font-medium">{EVENTS[version.event] ?? version.event.toLowerCase()}</span>
        <Time at={version.created_at} className="text-muted-foreground" />
        {version.changed_by === me.user.id && <span className="text-muted-foreground">by you</span>}
        <span className="tabular text-xs text-muted-foreground">
          version {version.version}
          {isCurrent && ", the present one"}
        </span>
        {onRestore && (
          <Button variant="ghost" size="small" className="ml-auto" onClick={onRestore}>
            <RotateCcw /> Restore
          </Button>
        )}
      </div>
      {changes === null ? (
        <p className="break-words whitespace-pre-line text-muted-foreground">{version.content}</p>
      ) : (
        <div className="grid gap-1">
          {changes.content.length > 0 && <Diff steps={changes.content} />}
          {changes.state && (
            <p className="flex items-center gap-1.5">
              <StateBadge state={String(changes.state.old)} /> → <StateBadge state={String(changes.state.new)} />
            </p>
          )}
          {changes.labels && <Labelling of={changes.labels} />}
          {changes.expires_at && <Changed name="expires" change={changes.expires_at} />}
          {Object.entries(changes.metadata).map(([key, change]) => (
            <Changed key={key} name={key} change={change} />
          ))}
        </div>
      )}
    </li>
  );
}

/** Which categories and tags came and went. */
function Labelling({ of }: { of: Schemas["LabellingItem"] }) {
  const named = ({ categories, tags }: Schemas["LabelsItem"]) => [...categories, ...tags.map((tag) => `#${tag}`)];
  return (
    <p className="flex flex-wrap gap-1.5">
      {named(of.added).map((name) => (
        <ins key={name} className="no-underline">
          <Badge tone="good">+ {name}</Badge>
        </ins>
      ))}
      {named(of.removed).map((name) => (
        <del key={name} className="no-underline">
          <Badge tone="danger">− {name}</Badge>
        </del>
      ))}
    </p>
  );
}

/** The old text and the new in one: what went is struck out, what came is underlined. */
export function Diff({ steps }: { steps: Schemas["StepItem"][] }) {
  return (
    <p className="break-words whitespace-pre-line">
      {steps.map(({ op, text }, index) => {
        const key = `${index}-${op}`;
        if (op === "insert") {
          return (
            <ins key={key} className="rounded-xs bg-good-soft text-good underline-offset-2">
              {text}
            </ins>
          );
        }
        if (op === "delete") {
          return (
            <del key={key} className="rounded-xs bg-danger-soft text-danger">
              {text}
            </del>
          );
        }
        return <span key={key}>{text}</span>;
      })}
    </p>
  );
}

function Changed({ name, change }: { name: string; change: Schemas["ChangedItem"] }) {
  const shown = (value: unknown) => (value === null || value === undefined ? "nothing" : JSON.stringify(value));
  return (
    <p className="break-words text-[0.8125rem]">
      <span className="font-mono text-muted-foreground">{name}</span>: <del>{shown(change.old)}</del> →{" "}
      <ins className="no-underline">{shown(change.new)}</ins>
    </p>
  );
}
