"use client";

import { ArrowRight, RotateCw, Undo2, X } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { type Import, isUnderWay, useImport, useImportChanges } from "@/api/imports";
import { useMayWrite, useMe } from "@/api/session";
import { counted, grouped } from "@/format";
import { Failure } from "../states";
import { Time } from "../time";
import { Button } from "../ui/button";
import { Dialog, DialogActions, DialogClose, DialogContent, DialogTrigger } from "../ui/dialog";
import { Skeleton } from "../ui/skeleton";
import { Meter } from "./meter";
import { outcome, StatusBadge } from "./status";

/** One import: how far it is, what came of it, and what can be done with it. */
export function Task({ id, onAnother }: { id: string; onAnother: () => void }) {
  const found = useImport(id);
  if (found.isError) return <Failure error={found.error} retry={() => void found.refetch()} />;
  if (!found.data) return <Skeleton className="h-44 w-full rounded-lg" />;
  return (
    <section aria-label={`Import of ${found.data.filename}`} className="grid gap-4 rounded-lg border bg-raised p-4">
      <div className="flex flex-wrap items-baseline gap-x-3 gap-y-1">
        <h2 className="min-w-0 break-words">{found.data.filename}</h2>
        <StatusBadge status={found.data.status} />
        <Time at={found.data.created_at} className="ml-auto text-muted-foreground" />
      </div>
      {isUnderWay(found.data) ? <UnderWay task={found.data} /> : <Result task={found.data} />}
      <Failures task={found.data} />
      <Actions task={found.data} onAnother={onAnother} />
    </section>
  );
}

function UnderWay({ task }: { task: Import }) {
  const done = task.done + task.failed;
  return (
    <div className="grid gap-2">
      <Meter
        label={task.status === "pending" ? "Waiting to be begun" : "Importing"}
        share={task.total ? done / task.total : null}
        note={`${grouped(done)} of ${counted(task.total, "piece")}`}
      />
      <p className="text-muted-foreground">
        {outcome(task)} so far. It goes on when this page is closed, and when the server is started anew.
      </p>
    </div>
  );
}

function Result({ task }: { task: Import }) {
  return (
    <div role="status">
      <p>{outcome(task)}.</p>
      {task.status === "cancelled" && (
        <p className="text-muted-foreground">It was cancelled; what had been imported before stays.</p>
      )}
      {task.status === "undone" && (
        <p className="text-muted-foreground">
          {task.undone < task.done ? `${grouped(task.undone)} of ${counted(task.done, "piece")} were taken back.` : ""}{" "}
          Taken back memories are deleted; they can be restored until they are purged.
        </p>
      )}
      {task.error && <p className="text-danger">{task.error}</p>}
    </div>
  );
}

function Failures({ task }: { task: Import }) {
  const { retry } = useImportChanges(task.id);
  const mayWrite = useMayWrite();
  if (task.failures.length === 0) return null;
  return (
    <div className="rounded-md bg-danger-soft px-3 py-2.5">
      <div className="flex flex-wrap items-center justify-between gap-2">
        <p className="font-medium">{counted(task.failed, "piece")} failed</p>
        {mayWrite && (
          <Button size="small" disabled={retry.isPending} onClick={() => retry.mutate()}>
            <RotateCw /> Try again
          </Button>
        )}
      </div>
      <ul>
        {task.failures.map(({ event_id, reason }) => (
          <li key={event_id} className="border-t border-danger/20 py-1.5 break-words">
            {reason} <code className="font-mono text-xs break-all text-danger">{event_id}</code>
          </li>
        ))}
      </ul>
    </div>
  );
}

function Actions({ task, onAnother }: { task: Import; onAnother: () => void }) {
  const { cancel } = useImportChanges(task.id);
  const me = useMe();
  const mayChange = useMayWrite() && me.app === null;
  const mayTakeBack =
    mayChange && !isUnderWay(task) && task.format !== "openmemory" && task.imported + task.updated > 0;
  const seen = task.app_name ? `/memories/?apps=${encodeURIComponent(task.app_name)}` : "/memories/";
  return (
    <div className="flex flex-wrap gap-2">
      {task.imported + task.updated > 0 && task.status !== "undone" && (
        <Button asChild variant="primary" size="small">
          <Link href={seen} prefetch={false}>
            See the memories <ArrowRight />
          </Link>
        </Button>
      )}
      {mayChange && isUnderWay(task) && (
        <Button size="small" disabled={cancel.isPending} onClick={() => cancel.mutate()}>
          <X /> Cancel
        </Button>
      )}
      {!isUnderWay(task) && (
        <Button size="small" onClick={onAnother}>
          Import another file
        </Button>
      )}
      {mayTakeBack && (task.status !== "undone" || task.undone < task.done) && <TakeBack task={task} />}
    </div>
  );
}

function TakeBack({ task }: { task: Import }) {
  const [isOpen, setOpen] = useState(false);
  const { takeBack } = useImportChanges(task.id);
  const changed = takeBack.data?.changed ?? 0;
  const run = (force: boolean) => takeBack.mutate(force, { onSuccess: (done) => done.changed === 0 && setOpen(false) });
  return (
    <Dialog open={isOpen} onOpenChange={setOpen}>
      <DialogTrigger asChild>
        <Button size="small" variant="ghost">
          <Undo2 /> Take it back
        </Button>
      </DialogTrigger>
      <DialogContent
        title="Take this import back?"
        description={
          changed > 0
            ? `${counted(changed, "piece")} (of at most 100 memories each) hold memories that were changed since, and were left as they are.`
            : `What it added (${counted(task.imported, "memory", "memories")}) is deleted; it can be restored until it is purged.`
        }
      >
        <DialogActions>
          <DialogClose asChild>
            <Button>Leave it</Button>
          </DialogClose>
          <Button variant="danger" disabled={takeBack.isPending} onClick={() => run(changed > 0)}>
            {takeBack.isPending ? "Taking back…" : changed > 0 ? "Take these back, too" : "Take it back"}
          </Button>
        </DialogActions>
      </DialogContent>
    </Dialog>
  );
}
