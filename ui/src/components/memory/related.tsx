"use client";

import { useRelated } from "@/api/memory";
import { Expandable } from "../expandable";
import { Section } from "../page-header";
import { Failure } from "../states";
import { Time } from "../time";
import { Skeleton } from "../ui/skeleton";

/** Memories that share categories with this one, most shared first. */
export function Related({ id }: { id: string }) {
  const related = useRelated(id);
  return (
    <Section title="Related">
      {related.isError && <Failure error={related.error} retry={() => void related.refetch()} />}
      {related.isPending && <Skeleton className="h-16 w-full" />}
      {related.data?.items.length === 0 && <p className="text-muted-foreground">Nothing shares a category with it.</p>}
      <ul className="grid gap-3">
        {related.data?.items.map((memory) => (
          <li key={memory.id}>
            <Expandable text={memory.content} lines={3} href={`/memory/?id=${memory.id}`} />
            <p className="text-xs text-muted-foreground">
              {memory.app_name} · <Time at={memory.created_at} />
            </p>
          </li>
        ))}
      </ul>
    </Section>
  );
}
