"use client";

import { Check, Eraser, EyeOff, GitMerge, Trash2, Undo2 } from "lucide-react";
import { useEffect, useRef } from "react";
import type { Decision, Finding } from "@/api/review";
import { cn } from "@/cn";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Merge } from "./merge";
import { Marked, Side } from "./sides";

const WHY: Record<string, string> = {
  "same words": "The same words",
  "other words": "Much the same in other words",
  negation: "One says what the other denies",
  value: "Two values of one thing",
};
const DONE = { keep: "Kept", merge: "Merged", delete: "Deleted", redact: "Secret taken out" };

type CardProps = {
  finding: Finding;
  isAt: boolean;
  isMerging: boolean;
  mayWrite: boolean;
  onDecide: (decision: Decision) => void;
  onMerge: (isOpen: boolean) => void;
  onUndo: () => void;
  /** Have a secret destroyed, where the caller may. */
  onForget?: () => void;
};

/** One finding: what it is about, side by side, and what can be done. */
export function FindingCard({ finding, isAt, isMerging, mayWrite, onDecide, onMerge, onUndo, onForget }: CardProps) {
  const card = useRef<HTMLLIElement>(null);
  useEffect(() => {
    if (isAt) card.current?.scrollIntoView({ block: "nearest" });
  }, [isAt]);
  return (
    <li
      ref={card}
      aria-current={isAt ? "true" : undefined}
      className={cn("scroll-my-20 rounded-lg border bg-raised p-3 sm:p-4", isAt && "border-accent ring-1 ring-accent")}
    >
      <p className="mb-2.5 flex flex-wrap items-center gap-x-2 gap-y-1 text-muted-foreground">
        <span className="font-medium break-words text-foreground">{title(finding)}</span>
        {finding.score !== null && (
          <Badge title="How near they are to each other, 1 at most">{finding.score.toFixed(2)} alike</Badge>
        )}
        <span className="ml-auto">
          found <Time at={finding.created_at} />
        </span>
      </p>
      {finding.kind === "secret" ? (
        <Side memory={finding.memory} name="Memory" />
      ) : (
        <div className="grid gap-2.5 md:grid-cols-2">
          <Side memory={finding.memory} name="Older memory">
            <Marked steps={finding.changes} side="one" text={finding.memory?.content ?? ""} />
          </Side>
          <Side memory={finding.other} name="Newer memory">
            <Marked steps={finding.changes} side="other" text={finding.other?.content ?? ""} />
          </Side>
        </div>
      )}
      <div className="mt-3">
        {finding.resolved_at ? (
          <Ended finding={finding} onUndo={mayWrite ? onUndo : undefined} />
        ) : isMerging && finding.memory && finding.other ? (
          <Merge
            one={finding.memory.content}
            other={finding.other.content}
            onMerge={(text) => onDecide(merged(finding, text))}
            onCancel={() => onMerge(false)}
          />
        ) : (
          mayWrite && (
            <Actions finding={finding} onDecide={onDecide} onMerge={() => onMerge(true)} onForget={onForget} />
          )
        )}
      </div>
    </li>
  );
}

function title({ kind, why, secrets }: Finding): string {
  if (kind === "secret") return [...new Set(secrets.map((secret) => secret.kind))].join(", ");
  return WHY[why ?? ""] ?? why ?? "They read alike";
}

/** The merge that leaves `text`: whose own text it is, that one stays. */
export function merged({ memory, other }: Finding, text: string): Decision {
  const stays = text === memory?.content ? memory : other;
  return { action: "merge", survivor: stays?.id, text };
}

function Ended({ finding, onUndo }: { finding: Finding; onUndo?: () => void }) {
  return (
    <p className="flex flex-wrap items-center gap-x-2 text-muted-foreground">
      <span>
        {finding.resolution && DONE[finding.resolution]} <Time at={finding.resolved_at ?? ""} />
        {finding.resolved_by && ` by ${finding.resolved_by}`}
      </span>
      {onUndo && (
        <Button size="small" className="ml-auto" onClick={onUndo}>
          <Undo2 /> Undo
        </Button>
      )}
    </p>
  );
}

type ActionsProps = Pick<CardProps, "finding" | "onDecide" | "onForget"> & { onMerge: () => void };

function Actions({ finding, onDecide, onMerge, onForget }: ActionsProps) {
  const remove = (id: string) => onDecide({ action: "delete", memory_ids: [id] });
  if (finding.kind === "secret") {
    return (
      <div className="flex flex-wrap items-center gap-2">
        <Button variant="primary" size="small" onClick={() => onDecide({ action: "redact" })}>
          <EyeOff /> Take it out
        </Button>
        {onForget && (
          <Button size="small" onClick={onForget}>
            <Eraser /> Take it out for good
          </Button>
        )}
        <Button size="small" onClick={() => onDecide({ action: "keep" })}>
          <Check /> Keep it
        </Button>
        <Button size="small" className="text-danger" onClick={() => remove(finding.memory_id)}>
          <Trash2 /> Delete the memory
        </Button>
        <p className="basis-full text-xs text-muted-foreground">
          Taken out, older versions hold it still; for good, no version does. Whoever has seen it knows it: change it
          where it is used.
        </p>
      </div>
    );
  }
  return (
    <div className="flex flex-wrap gap-2">
      <Button variant="primary" size="small" onClick={onMerge}>
        <GitMerge /> Merge
      </Button>
      <Button size="small" onClick={() => onDecide({ action: "keep" })}>
        <Check /> Keep both
      </Button>
      <Button size="small" className="text-danger" onClick={() => remove(finding.memory_id)}>
        <Trash2 /> Delete the older
      </Button>
      <Button size="small" className="text-danger" onClick={() => finding.other_id && remove(finding.other_id)}>
        <Trash2 /> Delete the newer
      </Button>
    </div>
  );
}
