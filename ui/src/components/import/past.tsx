"use client";

import Link from "next/link";
import { useState } from "react";
import { IMPORTS_A_PAGE, type ImportItem, useImportPage } from "@/api/imports";
import { Section } from "../page-header";
import { Pager } from "../pager";
import { Failure } from "../states";
import { Time } from "../time";
import { Skeleton } from "../ui/skeleton";
import { outcome, StatusBadge } from "./status";

/** The imports there were, newest first. */
export function PastImports({ shown }: { shown: string }) {
  const [page, setPage] = useState(1);
  const found = useImportPage(page);
  if (found.data?.total === 0) return null;
  return (
    <Section title="Imports so far">
      {found.isError && <Failure error={found.error} retry={() => void found.refetch()} />}
      {found.isPending && <Skeleton className="h-24 w-full rounded-lg" />}
      <ul>
        {found.data?.items.map((task) => (
          <Row key={task.id} task={task} isShown={task.id === shown} />
        ))}
      </ul>
      {found.data && found.data.total > IMPORTS_A_PAGE && (
        <Pager page={page} size={IMPORTS_A_PAGE} total={found.data.total} onPage={setPage} />
      )}
    </Section>
  );
}

function Row({ task, isShown }: { task: ImportItem; isShown: boolean }) {
  return (
    <li className="flex flex-wrap items-baseline gap-x-3 gap-y-0.5 border-b py-2 last:border-0">
      <Link
        href={`/import/?id=${task.id}`}
        prefetch={false}
        aria-current={isShown ? "true" : undefined}
        className="min-w-0 font-medium break-words hover:text-accent hover:underline"
      >
        {task.filename}
      </Link>
      <StatusBadge status={task.status} />
      <span className="text-muted-foreground">{outcome(task)}</span>
      <Time at={task.created_at} className="ml-auto text-muted-foreground" />
    </li>
  );
}
