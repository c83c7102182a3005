"use client";

import { Archive, RotateCw } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import type { Schemas } from "@/api/client";
import { useRetentionPreview, useRunRetention } from "@/api/retention";
import { counted, grouped } from "@/format";
import { Section } from "../page-header";
import { Failure } from "../states";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";
import { Confirm } from "./confirm";

type Rules = Schemas["Preview"]["rules"];

/** What the rules that are saved would archive now, and doing it. */
export function RetentionPreview() {
  const preview = useRetentionPreview();
  const running = useRunRetention();
  const [isAsked, setAsked] = useState(false);
  const rules = preview.data?.rules ?? [];
  const due = rules.reduce((sum, { count }) => sum + count, 0);
  return (
    <div className="max-w-3xl">
      <Section
        title="What would be archived now"
        aside={
          <span className="flex flex-wrap justify-end gap-2">
            <Button size="small" disabled={preview.isFetching} onClick={() => void preview.refetch()}>
              <RotateCw /> Look again
            </Button>
            <Button size="small" disabled={due === 0 || running.isPending} onClick={() => setAsked(true)}>
              <Archive /> Archive now
            </Button>
          </span>
        }
      >
        {preview.isError && <Failure error={preview.error} retry={() => void preview.refetch()} />}
        {preview.isPending && <Skeleton className="h-20 max-w-3xl" />}
        {preview.data && rules.length === 0 && <p className="text-muted-foreground">No rule is saved.</p>}
        <div className="grid max-w-3xl gap-5">
          {rules.map((rule) => (
            <Due key={rule.rule} rule={rule} />
          ))}
        </div>
        <div role="status">{running.data && <Result done={running.data} />}</div>
        {isAsked && (
          <Confirm
            title={`Archive ${counted(due, "memory", "memories")}?`}
            action="Archive"
            isPending={running.isPending}
            onClose={() => setAsked(false)}
            onConfirm={() => running.mutate(undefined, { onSettled: () => setAsked(false) })}
          >
            No agent finds them then. They are not deleted, and the receipt of each rule can be undone.
          </Confirm>
        )}
      </Section>
    </div>
  );
}

function Due({ rule }: { rule: Rules[number] }) {
  const more = rule.count - rule.memories.length;
  return (
    <section aria-label={rule.rule}>
      <h3 className="flex flex-wrap items-center gap-2 font-medium break-words">
        {rule.rule}{" "}
        <Badge tone={rule.count > 0 ? "warning" : "neutral"}>{counted(rule.count, "memory", "memories")}</Badge>
      </h3>
      {rule.count === 0 && <p className="text-muted-foreground">Nothing is due.</p>}
      <ul className="mt-1 grid divide-y">
        {rule.memories.map((memory) => (
          <li key={memory.id} className="flex flex-wrap justify-between gap-x-4 py-1.5">
            <Link href={`/memory/?id=${memory.id}`} className="min-w-0 flex-1 basis-64 break-words hover:text-accent">
              {memory.content}
            </Link>
            <span className="text-muted-foreground">
              {memory.app_name} · <Time at={memory.created_at} />
            </span>
          </li>
        ))}
      </ul>
      {more > 0 && <p className="mt-1 text-muted-foreground">and {grouped(more)} more</p>}
    </section>
  );
}

function Result({ done }: { done: Schemas["RunAnswer"] }) {
  const archived = done.rules.reduce((sum, one) => sum + one.archived, 0);
  return (
    <p className="mt-4 max-w-3xl rounded-md bg-good-soft px-3 py-2 text-good">
      {counted(archived, "memory", "memories")} archived
      {done.rules.length > 1 && ` (${done.rules.map((one) => `${one.rule}: ${grouped(one.archived)}`).join(", ")})`}.
      {!done.is_done && " There are more: archive again, or leave it to the worker."}
    </p>
  );
}
