"use client";

import { Archive, Download, Pause, Play, Trash2, X } from "lucide-react";
import { useCallback, useState } from "react";
import type { Row, State } from "@/api/memories";
import { counted } from "@/format";
import { Button } from "../ui/button";

/** The rows that are selected, over pages: what is selected on one stays so on the next. */
export function useSelection() {
  const [selected, setSelected] = useState<ReadonlyMap<string, Row>>(new Map());
  const toggle = useCallback((rows: Row[], isOn: boolean) => {
    setSelected((before) => {
      const after = new Map(before);
      for (const row of rows) {
        if (isOn) after.set(row.id, row);
        else after.delete(row.id);
      }
      return after;
    });
  }, []);
  const clear = useCallback(() => setSelected(new Map()), []);
  return { selected, toggle, clear };
}

/** Has the browser save the memories as a file: one JSON object a line. */
function save(rows: Iterable<Row>): void {
  const lines = [...rows].map((row) =>
    JSON.stringify({
      id: row.id,
      content: row.content,
      user_id: row.user_id,
      app: row.app_name,
      state: row.state,
      categories: row.categories,
      tags: row.tags,
      metadata: row.metadata_,
      created_at: new Date(row.created_at * 1000).toISOString(),
      updated_at: row.updated_at,
    }),
  );
  const link = document.createElement("a");
  link.href = URL.createObjectURL(new Blob([`${lines.join("\n")}\n`], { type: "application/x-ndjson" }));
  link.download = `memories-${new Date().toISOString().slice(0, 10)}.jsonl`;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), 1_000);
}

type BarProps = {
  selected: ReadonlyMap<string, Row>;
  onState: (state: State) => void;
  onDelete: () => void;
  onClear: () => void;
  mayWrite: boolean;
};

/** What can be done with the selection. */
export function SelectionBar({ selected, onState, onDelete, onClear, mayWrite }: BarProps) {
  return (
    <div
      role="toolbar"
      aria-label="Selection"
      className="sticky bottom-3 z-20 mx-auto flex w-fit max-w-full flex-wrap items-center gap-1 rounded-lg border bg-raised p-1.5 shadow-lg"
    >
      <span className="tabular px-2 font-medium" role="status">
        {counted(selected.size, "memory", "memories")} selected
      </span>
      {mayWrite && (
        <>
          <Button variant="ghost" size="small" onClick={() => onState("archived")}>
            <Archive /> Archive
          </Button>
          <Button variant="ghost" size="small" onClick={() => onState("paused")}>
            <Pause /> Pause
          </Button>
          <Button variant="ghost" size="small" onClick={() => onState("active")}>
            <Play /> Activate
          </Button>
        </>
      )}
      <Button variant="ghost" size="small" onClick={() => save(selected.values())}>
        <Download /> Export
      </Button>
      {mayWrite && (
        <Button variant="ghost" size="small" className="text-danger" onClick={onDelete}>
          <Trash2 /> Delete
        </Button>
      )}
      <Button variant="ghost" size="icon-small" aria-label="Select none" onClick={onClear}>
        <X />
      </Button>
    </div>
  );
}
