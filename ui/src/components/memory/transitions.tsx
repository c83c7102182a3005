"use client";

import { useState } from "react";
import { useTransitions } from "@/api/memory";
import { StateBadge } from "../memories/state-badge";
import { Section } from "../page-header";
import { Pager } from "../pager";
import { Failure } from "../states";
import { Time } from "../time";
import { Skeleton } from "../ui/skeleton";

const SIZE = 10;

/** Between which states the memory went, when and by whom. */
export function Transitions({ id }: { id: string }) {
  const [page, setPage] = useState(1);
  const steps = useTransitions(id, page);
  const total = steps.data?.total ?? 0;
  return (
    <Section title="Status history">
      {steps.isError && <Failure error={steps.error} retry={() => void steps.refetch()} />}
      {steps.isPending && <Skeleton className="h-10 w-full" />}
      {steps.data && total === 0 && <p className="text-muted-foreground">It has always been active.</p>}
      <ol className="grid gap-2">
        {steps.data?.items.map((step) => (
          <li key={step.id} className="flex flex-wrap items-center gap-x-1.5">
            <StateBadge state={step.old_state} /> <span aria-hidden>→</span>
            <span className="sr-only">to</span> <StateBadge state={step.new_state} />
            <span className="text-muted-foreground">
              <Time at={step.changed_at} /> {step.changed_by ? `by ${step.changed_by}` : "by the server"}
            </span>
          </li>
        ))}
      </ol>
      {total > SIZE && <Pager page={page} size={SIZE} total={total} onPage={setPage} />}
    </Section>
  );
}
