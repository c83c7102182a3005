"use client";

import { type KeyboardEvent, useEffect, useRef, useState } from "react";
import { Button } from "../ui/button";
import { Textarea } from "../ui/field";

type MergeProps = { one: string; other: string; onMerge: (text: string) => void; onCancel: () => void };

/** What the two are to say as one: begins with the newer text; Ctrl+Enter merges, Escape leaves. */
export function Merge({ one, other, onMerge, onCancel }: MergeProps) {
  const [text, setText] = useState(other);
  const field = useRef<HTMLTextAreaElement>(null);
  const canMerge = text.trim() !== "";
  useEffect(() => field.current?.focus(), []);
  function press(event: KeyboardEvent) {
    if (event.key === "Escape") {
      event.stopPropagation();
      onCancel();
    }
    if (event.key === "Enter" && (event.ctrlKey || event.metaKey) && canMerge) onMerge(text);
  }
  return (
    <div className="grid gap-2">
      <Textarea
        ref={field}
        aria-label="What the merged memory says"
        value={text}
        maxLength={100_000}
        onChange={(event) => setText(event.target.value)}
        onKeyDown={press}
      />
      <div className="flex flex-wrap items-center gap-2">
        <Button variant="primary" size="small" disabled={!canMerge} onClick={() => onMerge(text)}>
          Merge
        </Button>
        <Button variant="ghost" size="small" onClick={onCancel}>
          Cancel
        </Button>
        <span className="ml-auto flex flex-wrap gap-2">
          <Button size="small" disabled={text === one} onClick={() => setText(one)}>
            Take the older text
          </Button>
          <Button size="small" disabled={text === other} onClick={() => setText(other)}>
            Take the newer text
          </Button>
        </span>
      </div>
    </div>
  );
}
