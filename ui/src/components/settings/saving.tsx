"use client";

import { TriangleAlert } from "lucide-react";
import type { ReactNode } from "react";
import { type Configuration, useConfig, useSaveConfig } from "@/api/config";
import { cn } from "@/cn";
import { notify } from "@/notify";
import { Button } from "../ui/button";
import type { Draft } from "./draft";

type Saving<T> = {
  draft: Draft<T>;
  /** The draft's place in a configuration. */
  of: (config: Configuration) => T;
  sent: (value: T) => { method: "PUT" | "PATCH"; sent: unknown };
  told: string;
};

/** Saves a draft, unless what it was made from has been changed meanwhile: then the draft is stale, which is told. */
export function useSaving<T>({ draft, of, sent, told }: Saving<T>) {
  const config = useConfig();
  const saving = useSaveConfig();
  async function save() {
    const now = await config.refetch();
    if (now.isError) return notify.failed(now.error.message);
    if (!now.data || !draft.isMadeFrom(of(now.data))) return;
    saving.mutate(sent(draft.value), {
      onSuccess: (answer) => {
        draft.saved(of(answer));
        notify.done(told);
      },
    });
  }
  return {
    save,
    isPending: saving.isPending,
    error: saving.error,
    forget: saving.reset,
  };
}

type BarProps = {
  draft: Pick<Draft<unknown>, "isDirty" | "isStale" | "discard" | "keep">;
  saving: { save: () => Promise<unknown> | unknown; isPending: boolean; error: Error | null; forget: () => void };
  isInvalid?: boolean;
  /** The form may be longer than the screen: what is to be saved stays within reach. */
  isLong?: boolean;
  children?: ReactNode;
};

/** Save and give up; what was refused; and what to do when somebody else was quicker. `children` are more buttons. */
export function SaveBar({ draft, saving, isInvalid, isLong, children }: BarProps) {
  return (
    <div
      className={cn(
        "mt-4 grid gap-3",
        isLong && draft.isDirty && "sticky bottom-0 z-10 -mx-1 border-t bg-background px-1 py-3",
      )}
    >
      {draft.isStale && (
        <div
          role="alert"
          className="flex flex-wrap items-center gap-2 rounded-md bg-warning-soft px-3 py-2 text-warning"
        >
          <TriangleAlert className="size-4 shrink-0" />
          <p className="min-w-48 flex-1">Somebody else changed this meanwhile. Nothing of yours is saved yet.</p>
          <Button size="small" onClick={draft.discard}>
            Load theirs
          </Button>
          <Button size="small" onClick={draft.keep}>
            Keep mine
          </Button>
        </div>
      )}
      {saving.error && (
        <p role="alert" className="rounded-md bg-danger-soft px-3 py-2 break-words text-danger">
          {saving.error.message}
        </p>
      )}
      <div className="flex flex-wrap items-center gap-2">
        <Button
          variant="primary"
          disabled={!draft.isDirty || draft.isStale || isInvalid || saving.isPending}
          onClick={() => void saving.save()}
        >
          {saving.isPending ? "Saving…" : "Save"}
        </Button>
        {children}
        {draft.isDirty && (
          <Button
            variant="ghost"
            onClick={() => {
              draft.discard();
              saving.forget();
            }}
          >
            Discard changes
          </Button>
        )}
      </div>
    </div>
  );
}
