"use client";

import { RotateCw } from "lucide-react";
import Link from "next/link";
import type { Schemas } from "@/api/client";
import { useEvents, useRetry, useRetryAll } from "@/api/overview";
import { useMayWrite } from "@/api/session";
import { counted } from "@/format";
import { Section } from "../page-header";
import { Failure } from "../states";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";

type Receipt = Schemas["EventItem"];

const TONES = { SUCCEEDED: "good", FAILED: "danger", PENDING: "warning", RUNNING: "accent" } as const;
const KINDS: Record<string, string> = {
  ADD: "Add",
  UNDO: "Undo",
  PURGE: "Purge",
  EXPIRE: "Expiry",
  ARCHIVE: "Archive",
  DELETE: "Delete",
  LABEL: "Labels",
  REVIEW: "Review",
};

/** What the last writes did. */
export function RecentReceipts() {
  const events = useEvents();
  return (
    <Section title="Recent writes">
      {events.isError && <Failure error={events.error} retry={() => void events.refetch()} />}
      {events.isPending && <Skeleton className="h-48 w-full" />}
      {events.data?.items.length === 0 && <p className="text-muted-foreground">Nothing has been written yet.</p>}
      <ul>
        {events.data?.items.map((receipt) => (
          <li key={receipt.id} className="flex flex-wrap items-baseline gap-x-2 border-b py-2 last:border-0">
            <span className="font-medium">{KINDS[receipt.kind] ?? receipt.kind.toLowerCase()}</span>
            <span>{did(receipt)}</span>
            {receipt.app_name && <span className="break-all text-muted-foreground">by {receipt.app_name}</span>}
            {receipt.status !== "SUCCEEDED" && (
              <Badge tone={TONES[receipt.status]}>{receipt.status.toLowerCase()}</Badge>
            )}
            <Time at={receipt.created_at} className="ml-auto text-muted-foreground" />
          </li>
        ))}
      </ul>
    </Section>
  );
}

/** In words, what a receipt did: "2 memories made, 1 known already". */
function did({ results, status }: Receipt) {
  if (status !== "SUCCEEDED") return null;
  const [only] = results;
  if (results.length === 1 && typeof only?.id === "string" && only.event !== "DELETE") {
    return (
      <Link className="text-accent hover:underline" href={`/memory/?id=${only.id}`} prefetch={false}>
        {only.event === "NONE" ? "known already" : "one memory"}
      </Link>
    );
  }
  return counted(results.length, "memory", "memories");
}

/** The writes that failed: what was sent is kept, and can be tried again. Nothing where none did. */
export function FailedReceipts() {
  const events = useEvents("FAILED");
  const retry = useRetry();
  const retryAll = useRetryAll();
  const mayWrite = useMayWrite();
  if (!events.data || events.data.total === 0) return null;
  return (
    <Section
      title={`Failed writes (${events.data.total})`}
      aside={
        mayWrite &&
        events.data.total > 1 && (
          <Button size="small" disabled={retryAll.isPending} onClick={() => retryAll.mutate()}>
            <RotateCw /> Retry all
          </Button>
        )
      }
    >
      <ul className="rounded-md bg-danger-soft px-3">
        {events.data.items.map((receipt) => (
          <li
            key={receipt.id}
            className="flex flex-wrap items-center gap-2 border-b border-danger/20 py-2.5 last:border-0"
          >
            <div className="min-w-0 flex-1">
              <p className="break-words">{receipt.error ?? "It failed without a reason"}</p>
              <p className="text-xs text-danger">
                {receipt.app_name ?? "no app"} · {counted(receipt.attempts, "try", "tries")} ·{" "}
                <Time at={receipt.created_at} />
              </p>
            </div>
            {mayWrite && (
              <Button size="small" disabled={retry.isPending} onClick={() => retry.mutate(receipt.id)}>
                <RotateCw /> Retry
              </Button>
            )}
          </li>
        ))}
      </ul>
    </Section>
  );
}
