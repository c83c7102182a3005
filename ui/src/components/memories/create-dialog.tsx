"use client";

import { type FormEvent, useState } from "react";
import { useMemoryChanges } from "@/api/memories";
import { useOwner } from "@/api/owner";
import { Button } from "../ui/button";
import { Dialog, DialogActions, DialogContent } from "../ui/dialog";
import { Field, Input, Textarea } from "../ui/field";
import { Switch } from "../ui/switch";

/** A new memory, written by hand. */
export function CreateDialog({ isOpen, setOpen }: { isOpen: boolean; setOpen: (open: boolean) => void }) {
  return (
    <Dialog open={isOpen} onOpenChange={setOpen}>
      <DialogContent title="New memory">
        <CreateForm onDone={() => setOpen(false)} />
      </DialogContent>
    </Dialog>
  );
}

function CreateForm({ onDone }: { onDone: () => void }) {
  const { writesFor, isEverybody } = useOwner();
  const { create } = useMemoryChanges();
  const [text, setText] = useState("");
  const [user, setUser] = useState(writesFor);
  const [learns, setLearns] = useState(false);
  function submit(event: FormEvent) {
    event.preventDefault();
    create.mutate({ text, infer: learns, user_id: user.trim() }, { onSuccess: onDone });
  }
  return (
    <form onSubmit={submit} className="grid gap-4">
      <Field label="What should be remembered?" error={create.error?.message}>
        {(id) => (
          <Textarea
            id={id}
            required
            value={text}
            maxLength={100_000}
            onChange={(event) => setText(event.target.value)}
          />
        )}
      </Field>
      {isEverybody && (
        <Field label="For" hint="A user who is not there yet is made.">
          {(id) => (
            <Input id={id} required value={user} maxLength={255} onChange={(event) => setUser(event.target.value)} />
          )}
        </Field>
      )}
      <div className="flex items-start gap-3">
        <Switch id="learns" checked={learns} onCheckedChange={setLearns} aria-describedby="learns-hint" />
        <div>
          <label htmlFor="learns" className="font-medium">
            Learn from it
          </label>
          <p id="learns-hint" className="text-[0.8125rem] text-muted-foreground">
            The model decides what of it is to be remembered. Off, it is kept word for word.
          </p>
        </div>
      </div>
      <DialogActions>
        <Button onClick={onDone}>Cancel</Button>
        <Button type="submit" variant="primary" disabled={create.isPending || text.trim() === ""}>
          {create.isPending ? "Remembering…" : "Remember"}
        </Button>
      </DialogActions>
    </form>
  );
}
