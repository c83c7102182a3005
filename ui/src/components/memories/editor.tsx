"use client";

import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Button } from "../ui/button";
import { Textarea } from "../ui/field";

type EditorProps = { text: string; onSave: (text: string) => void; onCancel: () => void };

/** A memory's text, changed where it stands: Ctrl+Enter keeps it, Escape leaves it as it was. */
export function Editor({ text, onSave, onCancel }: EditorProps) {
  const [draft, setDraft] = useState(text);
  const field = useRef<HTMLTextAreaElement>(null);
  const canSave = draft.trim() !== "" && draft !== text;
  useEffect(() => {
    const element = field.current;
    element?.focus();
    element?.setSelectionRange(element.value.length, element.value.length);
  }, []);
  function press(event: KeyboardEvent) {
    if (event.key === "Escape") {
      event.stopPropagation();
      onCancel();
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && canSave) onSave(draft);
  }
  return (
    <div className="grid gap-2">
      <Textarea
        ref={field}
        aria-label="What it says"
        value={draft}
        maxLength={100_000}
        onChange={(event) => setDraft(event.target.value)}
        onKeyDown={press}
      />
      <div className="flex items-center gap-2">
        <Button variant="primary" size="small" disabled={!canSave} onClick={() => onSave(draft)}>
          Save
        </Button>
        <Button variant="ghost" size="small" onClick={onCancel}>
          Cancel
        </Button>
        <span className="text-xs text-muted-foreground max-sm:hidden">Ctrl+Enter saves, Escape leaves</span>
      </div>
    </div>
  );
}
