"use client";

import { FileUp, Upload } from "lucide-react";
import { type DragEvent, useId, useRef, useState } from "react";
import { cn } from "@/cn";
import { Button } from "../ui/button";

type DropZoneProps = { title: string; note: string; accept: string; onFile: (file: File) => void };

/** Where a file is dropped, or chosen by the button: the zone itself is no control, so the keyboard misses nothing. */
export function DropZone({ title, note, accept, onFile }: DropZoneProps) {
  const [isOver, setIsOver] = useState(false);
  const input = useRef<HTMLInputElement>(null);
  const id = useId();
  function drop(event: DragEvent) {
    event.preventDefault();
    setIsOver(false);
    const [file] = event.dataTransfer.files;
    if (file) onFile(file);
  }
  return (
    // biome-ignore lint/a11y/noStaticElementInteractions: what is dropped here can be chosen by the button inside
    <div
      className={cn(
        "flex flex-col items-center gap-3 rounded-lg border border-dashed border-input bg-raised px-4 py-10 text-center",
        isOver && "border-accent bg-accent-soft",
      )}
      onDragOver={(event) => {
        event.preventDefault();
        setIsOver(true);
      }}
      onDragLeave={() => setIsOver(false)}
      onDrop={drop}
    >
      <FileUp className="size-7 text-muted-foreground" aria-hidden />
      <div>
        <p className="font-medium">{title}</p>
        <p id={id} className="mt-0.5 text-muted-foreground">
          {note}
        </p>
      </div>
      <input
        ref={input}
        type="file"
        className="sr-only"
        tabIndex={-1}
        accept={accept}
        aria-label="File to import"
        onChange={(event) => {
          const [file] = event.target.files ?? [];
          if (file) onFile(file);
          event.target.value = ""; // the same file can be chosen again
        }}
      />
      <Button variant="primary" aria-describedby={id} onClick={() => input.current?.click()}>
        <Upload /> Choose a file
      </Button>
    </div>
  );
}
