"use client";

import { useState } from "react";
import { useAccessLog } from "@/api/memory";
import { Section } from "../page-header";
import { Pager } from "../pager";
import { Failure } from "../states";
import { Time } from "../time";
import { Skeleton } from "../ui/skeleton";

const TYPES: Record<string, string> = {
  search: "found it",
  list: "listed it",
  get: "read it",
  related: "saw it as related",
};

/** Which app was shown the memory, when, and for which query. */
export function Accesses({ id }: { id: string }) {
  const [page, setPage] = useState(1);
  const log = useAccessLog(id, page);
  return (
    <Section title="Who read it">
      {log.isError && <Failure error={log.error} retry={() => void log.refetch()} />}
      {log.isPending && <Skeleton className="h-16 w-full" />}
      {log.data?.total === 0 && <p className="text-muted-foreground">No app has been shown this memory.</p>}
      <ul className="grid gap-2">
        {log.data?.logs.map((access) => (
          <li key={access.id}>
            <span className="font-medium">{access.app_name}</span> {TYPES[access.access_type] ?? access.access_type}{" "}
            <Time at={access.accessed_at} className="text-muted-foreground" />
            {typeof access.metadata_.query === "string" && (
              <p className="break-words text-muted-foreground">for “{access.metadata_.query}”</p>
            )}
          </li>
        ))}
      </ul>
      {log.data && log.data.total > 10 && <Pager page={page} size={10} total={log.data.total} onPage={setPage} />}
    </Section>
  );
}
