"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";
import { StateBadge } from "../memories/state-badge";
import { Time } from "../time";

type Memory = Schemas["MemoryItem"];
type Step = Schemas["StepItem"];

/** A memory of a finding: what it says, who wrote it and when. What the other does not say is marked. */
export function Side({ memory, name, children }: { memory: Memory | null; name: string; children?: ReactNode }) {
  if (!memory) {
    return (
      <section aria-label={name} className="rounded-md border border-dashed p-3 text-muted-foreground">
        It was deleted.
      </section>
    );
  }
  return (
    <section aria-label={name} className="flex min-w-0 flex-col gap-2 rounded-md border bg-background p-3">
      <p className="flex flex-wrap items-center gap-x-1.5 text-xs text-muted-foreground">
        <span className="font-medium break-all text-foreground">{memory.app_name}</span>
        {memory.author && <span className="break-words">· {memory.author}</span>}
        <span>·</span>
        <Time at={memory.created_at} />
        {memory.version > 1 && (
          <span>
            · changed <Time at={memory.updated_at} />
          </span>
        )}
        {memory.state !== "active" && <StateBadge state={memory.state} />}
        <Link href={`/memory/?id=${memory.id}`} prefetch={false} className="ml-auto text-accent hover:underline">
          Open<span className="sr-only"> the {name.toLowerCase()}</span>
        </Link>
      </p>
      <div className="max-h-80 flex-1 overflow-y-auto break-words whitespace-pre-line">
        {children ?? memory.content}
      </div>
    </section>
  );
}

/** One of two texts: what both say plain, what only this one says marked. */
export function Marked({ steps, side, text }: { steps: Step[]; side: "one" | "other"; text: string }) {
  if (steps.length === 0) return text;
  const own = side === "one" ? "delete" : "insert";
  return steps
    .filter(({ op }) => op === "equal" || op === own)
    .map(({ op, text: piece }, index) =>
      op === "equal" ? (
        // biome-ignore lint/suspicious/noArrayIndexKey: the pieces stay in their places
        <span key={index}>{piece}</span>
      ) : (
        // biome-ignore lint/suspicious/noArrayIndexKey: the pieces stay in their places
        <mark key={index} className="rounded-xs bg-warning-soft text-warning">
          {piece}
        </mark>
      ),
    );
}
