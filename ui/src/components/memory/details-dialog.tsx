"use client";

import { type FormEvent, useState } from "react";
import type { Schemas } from "@/api/client";
import { type Details, useAmend } from "@/api/memory";
import { moment } from "@/format";
import { Button } from "../ui/button";
import { Dialog, DialogActions, DialogContent } from "../ui/dialog";
import { Field, Input, Textarea } from "../ui/field";
import { Switch } from "../ui/switch";

type DetailsDialogProps = { memory: Schemas["MemoryOne"]; setOpen: (isOpen: boolean) => void };

/** What is said of a memory: whether it is pinned, when it expires, its metadata. */
export function DetailsDialog({ memory, setOpen }: DetailsDialogProps) {
  const amend = useAmend(memory.id);
  const written = JSON.stringify(memory.metadata_, null, 2);
  const expiry = memory.expires_at ? local(moment(memory.expires_at)) : "";
  const [isPinned, setPinned] = useState(memory.memory_type === "pinned");
  const [expires, setExpires] = useState(expiry);
  const [metadata, setMetadata] = useState(written);
  const parsed = read(metadata);
  const mayPin = memory.memory_type === "pinned" || memory.memory_type === "insight";

  const details: Details = {};
  if (isPinned !== (memory.memory_type === "pinned")) details.memory_type = isPinned ? "pinned" : "insight";
  if (expires !== expiry) details.expires_at = expires === "" ? null : new Date(expires).toISOString();
  if (parsed && metadata !== written) details.metadata = parsed;
  const isChange = Object.keys(details).length > 0;

  function submit(event: FormEvent) {
    event.preventDefault();
    if (parsed && isChange) amend.mutate(details, { onSuccess: () => setOpen(false) });
  }
  return (
    <Dialog open onOpenChange={setOpen}>
      <DialogContent title="Details">
        <form onSubmit={submit} className="grid grid-cols-[minmax(0,1fr)] gap-4">
          <div className="flex items-start gap-3">
            <Switch
              id="pinned"
              checked={isPinned}
              disabled={!mayPin}
              onCheckedChange={setPinned}
              aria-describedby="pinned-hint"
            />
            <div>
              <label htmlFor="pinned" className="font-medium">
                Pinned
              </label>
              <p id="pinned-hint" className="text-[0.8125rem] text-muted-foreground">
                {mayPin
                  ? "No model may change it, and no retention rule archives it."
                  : "A turn of a session cannot be pinned."}
              </p>
            </div>
          </div>
          <Field label="Expires" hint="Empty: never. Then it is deleted, and no app is shown it.">
            {(id) => (
              <div className="flex gap-2">
                <Input
                  id={id}
                  type="datetime-local"
                  className="min-w-0"
                  value={expires}
                  onChange={(event) => setExpires(event.target.value)}
                />
                <Button disabled={expires === ""} onClick={() => setExpires("")}>
                  Never
                </Button>
              </div>
            )}
          </Field>
          <Field
            label="Metadata"
            hint="A JSON object. Author, session and time of the memory follow what it says of them."
            error={parsed ? amend.error?.message : "This is not a JSON object."}
          >
            {(id) => (
              <Textarea
                id={id}
                className="min-h-32 font-mono text-[0.8125rem]"
                spellCheck={false}
                aria-invalid={!parsed}
                value={metadata}
                onChange={(event) => setMetadata(event.target.value)}
              />
            )}
          </Field>
          <DialogActions>
            <Button onClick={() => setOpen(false)}>Cancel</Button>
            <Button type="submit" variant="primary" disabled={!parsed || !isChange || amend.isPending}>
              {amend.isPending ? "Saving…" : "Save"}
            </Button>
          </DialogActions>
        </form>
      </DialogContent>
    </Dialog>
  );
}

/** The object that a text writes; null if it writes none. */
export function read(text: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(text);
    const isObject = typeof value === "object" && value !== null && !Array.isArray(value);
    return isObject ? (value as Record<string, unknown>) : null;
  } catch {
    return null;
  }
}

/** As a `datetime-local` field has it: the reader's own clock, to the minute. */
function local(when: Date): string {
  const shifted = new Date(when.getTime() - when.getTimezoneOffset() * 60_000);
  return shifted.toISOString().slice(0, 16);
}
