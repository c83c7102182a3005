"use client";

import { EyeOff, RotateCw, Undo2 } from "lucide-react";
import { useState } from "react";
import type { Schemas } from "@/api/client";
import { useRetry, useRetryAll } from "@/api/overview";
import { A_PAGE, useDecisions, useFailed, useReceipt } from "@/api/review";
import { counted } from "@/format";
import { Pager } from "../pager";
import { Failure } from "../states";
import { Time } from "../time";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";
import { Nothing } from "./nothing";
import { CardsSkeleton } from "./skeleton";

type Receipt = Schemas["EventItem"];
type FailedProps = { isDismissed: boolean; page: number; onPage: (page: number) => void; mayWrite: boolean };

/** The writes that failed: what was sent is kept, to be tried again or put aside. */
export function Failed({ isDismissed, page, onPage, mayWrite }: FailedProps) {
  const failed = useFailed(isDismissed, page);
  const retryAll = useRetryAll();
  if (failed.isError) return <Failure error={failed.error} retry={() => void failed.refetch()} />;
  if (failed.isPending) return <CardsSkeleton />;
  if (failed.data.total === 0) return <Nothing isResolved={isDismissed} isExamining={false} />;
  return (
    <>
      {mayWrite && !isDismissed && failed.data.total > 1 && (
        <Button size="small" className="mb-3" disabled={retryAll.isPending} onClick={() => retryAll.mutate()}>
          <RotateCw /> Retry all
        </Button>
      )}
      <ul className="grid gap-3" aria-label="Failed writes">
        {failed.data.items.map((receipt) => (
          <FailedCard key={receipt.id} receipt={receipt} mayWrite={mayWrite} />
        ))}
      </ul>
      {failed.data.total > A_PAGE && <Pager page={page} size={A_PAGE} total={failed.data.total} onPage={onPage} />}
    </>
  );
}

function FailedCard({ receipt, mayWrite }: { receipt: Receipt; mayWrite: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const retry = useRetry();
  const { dismiss } = useDecisions();
  const isDismissed = receipt.dismissed_at !== null;
  return (
    <li className="rounded-lg border bg-raised p-3 sm:p-4">
      <p className="break-words">{receipt.error ?? "It failed without a reason"}</p>
      <p className="mt-0.5 text-xs text-muted-foreground">
        {receipt.app_name ?? "no app"} · {counted(receipt.attempts, "try", "tries")} · <Time at={receipt.created_at} />
      </p>
      <div className="mt-3 flex flex-wrap gap-2">
        {mayWrite && (
          <>
            <Button variant="primary" size="small" disabled={retry.isPending} onClick={() => retry.mutate(receipt.id)}>
              <RotateCw /> Retry
            </Button>
            <Button size="small" onClick={() => dismiss.mutate({ id: receipt.id, isDismissed: !isDismissed })}>
              {isDismissed ? <Undo2 /> : <EyeOff />} {isDismissed ? "Have it wait again" : "Dismiss"}
            </Button>
          </>
        )}
        <Button variant="ghost" size="small" aria-expanded={isOpen} onClick={() => setOpen(!isOpen)}>
          {isOpen ? "Hide what was sent" : "Show what was sent"}
        </Button>
      </div>
      {isOpen && <Sent id={receipt.id} />}
    </li>
  );
}

type Message = { role: string; content: string };

function Sent({ id }: { id: string }) {
  const receipt = useReceipt(id);
  if (receipt.isError) return <Failure error={receipt.error} retry={() => void receipt.refetch()} />;
  if (receipt.isPending) return <Skeleton className="mt-3 h-12 w-full" />;
  const messages = (receipt.data.input?.messages ?? []) as Message[];
  if (messages.length === 0) return <p className="mt-3 text-muted-foreground">Nothing of it is kept.</p>;
  return (
    <dl className="mt-3 grid max-h-80 grid-cols-[auto_minmax(0,1fr)] gap-x-3 gap-y-1.5 overflow-y-auto rounded-md border bg-background p-3">
      {messages.map(({ role, content }, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they stay as they were sent
        <div key={index} className="contents">
          <dt className="text-muted-foreground">{role}</dt>
          <dd className="break-words whitespace-pre-line">{content}</dd>
        </div>
      ))}
    </dl>
  );
}
