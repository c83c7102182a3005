"use client";

import { CircleCheck, CircleX, LoaderCircle } from "lucide-react";
import type { TestAnswer } from "@/api/config";
import { grouped } from "@/format";

type Props = { answer?: TestAnswer; error: Error | null; isPending: boolean };

/** What became of one real call. Its place is read out when it changes. */
export function TestResult({ answer, error, isPending }: Props) {
  return (
    <div role="status" aria-live="polite">
      {isPending && (
        <p className="flex items-center gap-2 py-2 text-muted-foreground">
          <LoaderCircle className="size-4 animate-spin" /> Asking; this takes half a minute at most…
        </p>
      )}
      {!isPending && error && <Failed detail={error.message} />}
      {!isPending &&
        !error &&
        answer &&
        (answer.ok ? <Succeeded answer={answer} /> : <Failed detail={answer.detail} />)}
    </div>
  );
}

function Succeeded({ answer }: { answer: TestAnswer }) {
  return (
    <div className="flex gap-2 rounded-md bg-good-soft px-3 py-2">
      <CircleCheck className="mt-0.5 size-4 shrink-0 text-good" />
      <div className="min-w-0">
        <p className="text-good">
          {answer.detail}
          {answer.milliseconds !== null && ` in ${grouped(Math.max(1, Math.round(answer.milliseconds)))} ms`}.
        </p>
        <p className="break-words text-muted-foreground">
          {answer.model}
          {answer.dimensions !== null && ` · ${grouped(answer.dimensions)} dimensions`}
        </p>
        {answer.answer && <p className="mt-1 break-words">“{answer.answer}”</p>}
      </div>
    </div>
  );
}

function Failed({ detail }: { detail: string }) {
  return (
    <div className="flex gap-2 rounded-md bg-danger-soft px-3 py-2 text-danger">
      <CircleX className="mt-0.5 size-4 shrink-0" />
      <p className="min-w-0 break-words">{detail}</p>
    </div>
  );
}
