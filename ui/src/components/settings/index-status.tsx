"use client";

import { RotateCw } from "lucide-react";
import { useState } from "react";
import type { Schemas } from "@/api/client";
import { useIndex } from "@/api/overview";
import { useRebuild } from "@/api/reindexing";
import { counted, grouped } from "@/format";
import { Section } from "../page-header";
import { Failure } from "../states";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";
import { Confirm } from "./confirm";

type Status = Schemas["IndexStatus"];

/** How level the search index is with the memories, what serves, and how far a new one is. */
export function IndexStatus() {
  const index = useIndex();
  const rebuilding = useRebuild();
  const [isAsked, setAsked] = useState(false);
  return (
    <div className="max-w-2xl">
      <Section
        title="Search index"
        aside={
          <Button size="small" disabled={!index.data} onClick={() => setAsked(true)}>
            <RotateCw /> Rebuild
          </Button>
        }
      >
        {index.isError && <Failure error={index.error} retry={() => void index.refetch()} />}
        {index.isPending && <Skeleton className="h-28 max-w-2xl" />}
        {index.data && <Shown found={index.data} />}
        {isAsked && index.data && (
          <Confirm
            title="Rebuild the index?"
            action="Rebuild"
            isPending={rebuilding.isPending}
            onClose={() => setAsked(false)}
            onConfirm={() => rebuilding.mutate(undefined, { onSettled: () => setAsked(false) })}
          >
            All {counted(index.data.memories, "active memory", "active memories")} are embedded again in the background,
            which costs as many calls of the embedder. Searches go on with what there is.
          </Confirm>
        )}
      </Section>
    </div>
  );
}

function Shown({ found }: { found: Status }) {
  const behind = found.memories - found.indexed;
  return (
    <div className="grid max-w-2xl gap-4 rounded-lg border bg-raised p-4">
      <div className="grid gap-1.5">
        <div className="flex flex-wrap items-center justify-between gap-2">
          <span className="tabular">
            {grouped(found.indexed)} of {counted(found.memories, "memory", "memories")} indexed
          </span>
          {behind > 0 ? <Badge tone="warning">{grouped(behind)} behind</Badge> : <Badge tone="good">level</Badge>}
        </div>
        <Bar label="Indexed" value={found.indexed} max={found.memories} />
      </div>
      {found.building && <Building building={found.building} isFailed={found.status === "failed"} />}
      {found.status === "building" && !found.building && (
        <p className="text-muted-foreground">
          A new index is about to be built; the one before serves until it is complete.
        </p>
      )}
      {found.serving && <Serving serving={found.serving} isReplaced={found.status !== "ready"} />}
    </div>
  );
}

function Building({ building, isFailed }: { building: NonNullable<Status["building"]>; isFailed: boolean }) {
  return (
    <div className="grid gap-1.5">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <span className="tabular">
          A new index: {grouped(building.done)} of {grouped(building.total)}
        </span>
        {isFailed ? (
          <Badge tone="danger">
            failed {building.attempts === 1 ? "once" : `${grouped(building.attempts)} times`}, tried again
          </Badge>
        ) : (
          <Badge tone="accent">{building.percent} %</Badge>
        )}
      </div>
      <Bar label="New index" value={building.done} max={building.total} />
      {building.error && <p className="break-words text-danger">{building.error}</p>}
      <p className="text-muted-foreground">
        Begun <Time at={building.started_at} />, last step <Time at={building.updated_at} />. The index before serves
        until this one is complete.
      </p>
    </div>
  );
}

function Bar({ label, value, max }: { label: string; value: number; max: number }) {
  return (
    <div
      role="progressbar"
      aria-label={label}
      aria-valuenow={value}
      aria-valuemin={0}
      aria-valuemax={max}
      className="h-2 overflow-hidden rounded-full bg-muted"
    >
      <div
        className="h-full rounded-full bg-accent transition-[width]"
        style={{ width: `${max === 0 ? 100 : Math.min(100, (100 * value) / max)}%` }}
      />
    </div>
  );
}

function Serving({ serving, isReplaced }: { serving: NonNullable<Status["serving"]>; isReplaced: boolean }) {
  const facts = [
    [isReplaced ? "Serves meanwhile" : "Serves", serving.model],
    ["Embedder", serving.embedder],
    ["Vector store", serving.vector_store],
  ];
  return (
    <dl className="grid gap-x-6 gap-y-1 sm:grid-cols-[auto_minmax(0,1fr)]">
      {facts.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted-foreground">{name}</dt>
          <dd className="font-mono text-[0.8125rem] break-all">{value}</dd>
        </div>
      ))}
    </dl>
  );
}
