"use client";

import { type FormEvent, useState } from "react";
import { type Key, useRenameKey } from "@/api/keys";
import { Button } from "../ui/button";
import { Dialog, DialogActions, DialogContent } from "../ui/dialog";
import { Field, Input } from "../ui/field";

export function RenameDialog({ renamed, onClose }: { renamed: Key; onClose: () => void }) {
  const rename = useRenameKey();
  const [label, setLabel] = useState(renamed.label);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (label.trim() !== renamed.label) rename.mutate({ id: renamed.id, label: label.trim() });
    onClose();
  }
  return (
    <Dialog open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <DialogContent title="Rename the key">
        <form onSubmit={submit} className="grid gap-4">
          <Field label="Label">
            {(id) => (
              <Input
                id={id}
                required
                maxLength={255}
                value={label}
                onChange={(event) => setLabel(event.target.value)}
              />
            )}
          </Field>
          <DialogActions>
            <Button onClick={onClose}>Cancel</Button>
            <Button type="submit" variant="primary" disabled={!label.trim()}>
              Rename
            </Button>
          </DialogActions>
        </form>
      </DialogContent>
    </Dialog>
  );
}
