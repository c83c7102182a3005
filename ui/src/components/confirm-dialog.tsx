"use client";

import { type FormEvent, type ReactNode, useState } from "react";
import { Button } from "./ui/button";
import { Dialog, DialogActions, DialogContent } from "./ui/dialog";
import { Field, Input } from "./ui/field";

type ConfirmProps = {
  title: string;
  /** What will happen, and what will not work any more. */
  children: ReactNode;
  action: string;
  /** Has to be typed first: for what cannot be taken back. */
  word?: string;
  isPending?: boolean;
  error?: string;
  onConfirm: () => void;
  onClose: () => void;
};

/** Asks before something that cannot be undone. It is there as long as it is rendered. */
export function ConfirmDialog({ title, children, action, word, isPending, error, onConfirm, onClose }: ConfirmProps) {
  const [typed, setTyped] = useState("");
  function submit(event: FormEvent) {
    event.preventDefault();
    onConfirm();
  }
  return (
    <Dialog open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <DialogContent title={title} role="alertdialog">
        <form onSubmit={submit} className="grid gap-4">
          <div className="grid gap-2 break-words">{children}</div>
          {word !== undefined && (
            <Field label={`Type ${word} to go on`}>
              {(id) => (
                <Input
                  id={id}
                  value={typed}
                  autoComplete="off"
                  spellCheck={false}
                  onChange={(event) => setTyped(event.target.value)}
                />
              )}
            </Field>
          )}
          {error && (
            <p role="alert" className="text-danger">
              {error}
            </p>
          )}
          <DialogActions>
            <Button onClick={onClose}>Cancel</Button>
            <Button
              type="submit"
              variant="danger"
              disabled={isPending || (word !== undefined && typed.trim() !== word)}
            >
              {action}
            </Button>
          </DialogActions>
        </form>
      </DialogContent>
    </Dialog>
  );
}
