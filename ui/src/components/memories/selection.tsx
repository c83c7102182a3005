"use client";

import { Archive, Download, Pause, Play, Tags, Trash2, X } from "lucide-react";
import { useState } from "react";
import { useExport } from "@/api/files";
import { useLabel } from "@/api/labels";
import { type State, useAllMatching, useMemoryChanges, type Wanted } from "@/api/memories";
import { useOwner } from "@/api/owner";
import { counted, grouped } from "@/format";
import { notify } from "@/notify";
import { LabelDialog } from "../labels/label-dialog";
import { Button } from "../ui/button";
import { Menu, MenuContent, MenuItem, MenuTrigger } from "../ui/menu";

type BarProps = {
  selected: ReadonlySet<string>;
  choose: (ids: string[]) => void;
  clear: () => void;
  wanted: Wanted;
  /** How many the list goes on to; undefined where it is ranked, and has no more than is shown. */
  matching: number | undefined;
  mayWrite: boolean;
};

/** What can be done with the selection. */
export function SelectionBar({ selected, choose, clear, wanted, matching, mayWrite }: BarProps) {
  const [isLabelling, setLabelling] = useState(false);
  const { setState, remove } = useMemoryChanges();
  const label = useLabel();
  const ids = [...selected];
  function change(state: State) {
    setState.mutate({ ids, state });
    clear();
  }
  return (
    <div
      role="toolbar"
      aria-label="Selection"
      className="sticky bottom-3 z-20 mx-auto flex w-fit max-w-full flex-wrap items-center gap-1 rounded-lg border bg-raised p-1.5 shadow-lg"
    >
      <span className="tabular px-2 font-medium" role="status">
        {counted(selected.size, "memory", "memories")} selected
      </span>
      {matching !== undefined && matching > selected.size && (
        <AllMatching wanted={wanted} count={matching} choose={choose} />
      )}
      {mayWrite && (
        <>
          <Button variant="ghost" size="small" onClick={() => change("archived")}>
            <Archive /> Archive
          </Button>
          <Button variant="ghost" size="small" onClick={() => change("paused")}>
            <Pause /> Pause
          </Button>
          <Button variant="ghost" size="small" onClick={() => change("active")}>
            <Play /> Activate
          </Button>
          <Button variant="ghost" size="small" onClick={() => setLabelling(true)}>
            <Tags /> Label
          </Button>
        </>
      )}
      <Export ids={ids} />
      {mayWrite && (
        <Button
          variant="ghost"
          size="small"
          className="text-danger"
          onClick={() => {
            remove.mutate(ids);
            clear();
          }}
        >
          <Trash2 /> Delete
        </Button>
      )}
      <Button variant="ghost" size="icon-small" aria-label="Select none" onClick={clear}>
        <X />
      </Button>
      {isLabelling && (
        <LabelDialog
          title={`Label ${counted(selected.size, "memory", "memories")}`}
          setOpen={setLabelling}
          onSave={(added, removed) => label.mutate({ ids, added, removed })}
        />
      )}
    </div>
  );
}

/** The way from a page to all that the list goes on to. */
function AllMatching({ wanted, count, choose }: { wanted: Wanted; count: number; choose: (ids: string[]) => void }) {
  const all = useAllMatching(wanted);
  function select() {
    all.mutate(undefined, {
      onSuccess: ({ ids, total }) => {
        choose(ids);
        if (ids.length < total) notify.done(`The newest ${grouped(ids.length)} of ${grouped(total)} are selected`);
      },
    });
  }
  return (
    <Button variant="link" size="small" disabled={all.isPending} onClick={select}>
      Select all {grouped(count)} that match
    </Button>
  );
}

function Export({ ids }: { ids: string[] }) {
  const { owner } = useOwner();
  const file = useExport();
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button variant="ghost" size="small" disabled={file.isPending}>
          <Download /> Export
        </Button>
      </MenuTrigger>
      <MenuContent align="end">
        <MenuItem onSelect={() => file.mutate({ ids, owner, as: "lines" })}>To read: lines of JSON</MenuItem>
        {owner !== undefined && (
          <MenuItem onSelect={() => file.mutate({ ids, owner, as: "backup" })}>
            To bring back: a backup with all versions
          </MenuItem>
        )}
      </MenuContent>
    </Menu>
  );
}
