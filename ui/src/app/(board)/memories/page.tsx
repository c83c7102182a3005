"use client";

import { Library, Plus, SearchX } from "lucide-react";
import dynamic from "next/dynamic";
import { useRouter } from "next/navigation";
import { useMemo, useRef, useState } from "react";
import { isRelevance, type Row, type State, useMemories, useMemoryChanges } from "@/api/memories";
import { useOwner } from "@/api/owner";
import { useMayWrite } from "@/api/session";
import { isNarrowed, SIZES, useWanted } from "@/components/memories/address";
import { MemoryTable, type RowActions, TableSkeleton } from "@/components/memories/table";
import { Toolbar } from "@/components/memories/toolbar";
import { useSelection } from "@/components/memories/use-selection";
import { PageHeader } from "@/components/page-header";
import { Pager } from "@/components/pager";
import { OnlyOf } from "@/components/search/only-of";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Failure, Notice } from "@/components/states";
import { Button } from "@/components/ui/button";
import { counted } from "@/format";

// Nobody opens them with the page: their code comes after.
const CreateDialog = dynamic(() => import("@/components/memories/create-dialog").then((it) => it.CreateDialog), {
  ssr: false,
});
const SelectionBar = dynamic(() => import("@/components/memories/selection").then((it) => it.SelectionBar), {
  ssr: false,
});
const NO_ROWS: Row[] = [];

export default function Memories() {
  const { wanted, change, clear } = useWanted();
  const { owner, isEverybody, writesFor } = useOwner();
  const mayWrite = useMayWrite();
  const memories = useMemories(wanted);
  const { selected, toggle, choose, clear: selectNone } = useSelection();
  const [isCreating, setCreating] = useState(false);
  const searchRef = useRef<HTMLInputElement>(null);
  const rows = memories.data?.items ?? NO_ROWS;
  const { actions, editing } = useRowActions(toggle);
  const at = useCursor(rows, selected, actions, mayWrite, {
    "/": () => searchRef.current?.focus(),
    n: () => mayWrite && setCreating(true),
  });

  return (
    <>
      <PageHeader
        title="Memories"
        note={memories.data ? summary(memories.data.total, memories.data.isRanked, owner, writesFor) : "\u00a0"}
        actions={
          mayWrite && (
            <Button variant="primary" onClick={() => setCreating(true)}>
              <Plus /> New memory
            </Button>
          )
        }
      />
      <Toolbar wanted={wanted} change={change} clear={clear} searchRef={searchRef} />
      {memories.data?.warning && (
        <p role="status" className="mb-2 rounded-md bg-warning-soft px-3 py-2 text-warning">
          {memories.data.warning}
        </p>
      )}
      <div
        aria-busy={memories.isFetching}
        className={memories.isPlaceholderData ? "opacity-60 transition-opacity" : ""}
      >
        {memories.isError ? (
          <Failure error={memories.error} retry={() => void memories.refetch()} />
        ) : memories.isPending ? (
          <TableSkeleton />
        ) : rows.length === 0 ? (
          <Empty
            isNarrowed={isNarrowed(wanted) || wanted.q !== ""}
            onlyOf={isEverybody && memories.data.isRanked ? writesFor : undefined}
            onCreate={mayWrite ? () => setCreating(true) : undefined}
          />
        ) : (
          <MemoryTable
            rows={rows}
            wanted={wanted}
            isRanked={memories.data.isRanked}
            showsOwner={isEverybody}
            mayWrite={mayWrite}
            selected={selected}
            editing={editing}
            at={at}
            actions={actions}
            onSort={(sort, dir) => change({ sort, dir })}
          />
        )}
      </div>
      {memories.data && !isRelevance(wanted) && (
        <Pager
          page={wanted.page}
          size={wanted.size}
          total={memories.data.total}
          onPage={(page) => change({ page })}
          sizes={SIZES}
          onSize={(size) => change({ size })}
        />
      )}
      {selected.size > 0 && (
        <SelectionBar
          selected={selected}
          choose={choose}
          clear={selectNone}
          wanted={wanted}
          matching={memories.data?.isRanked ? undefined : memories.data?.total}
          mayWrite={mayWrite}
        />
      )}
      {isCreating && <CreateDialog isOpen setOpen={setCreating} />}
    </>
  );
}

function summary(total: number, isRanked: boolean, owner: string | undefined, own: string): string {
  if (isRanked) {
    const best = `The ${counted(total, "best match", "best matches")} among`;
    return owner === undefined ? `${best} the active memories of ${own}` : `${best} active memories`;
  }
  return owner === undefined
    ? `${counted(total, "memory", "memories")} of everybody`
    : counted(total, "memory", "memories");
}

type EmptyProps = { isNarrowed: boolean; onlyOf: string | undefined; onCreate?: () => void };

function Empty({ isNarrowed, onlyOf, onCreate }: EmptyProps) {
  if (isNarrowed)
    return (
      <Notice icon={<SearchX />} title="Nothing matches">
        Other words or fewer filters may find it.{onlyOf && <OnlyOf name={onlyOf} />}
      </Notice>
    );
  return (
    <Notice
      icon={<Library />}
      title="No memories yet"
      action={
        onCreate && (
          <Button variant="primary" onClick={onCreate}>
            <Plus /> New memory
          </Button>
        )
      }
    >
      They appear here as your agents make them. The overview shows how to connect one.
    </Notice>
  );
}

function useRowActions(toggle: RowActions["toggle"]) {
  const [editing, setEditing] = useState<string | null>(null);
  const { edit, setState, remove } = useMemoryChanges();
  const [save, change, drop] = [edit.mutate, setState.mutate, remove.mutate];
  const actions = useMemo<RowActions>(
    () => ({
      toggle,
      edit: setEditing,
      save: (row, content) => {
        setEditing(null);
        save({ id: row.id, content });
      },
      setState: (row, state: State) => change({ ids: [row.id], state }),
      remove: (row) => {
        toggle([row], false);
        drop([row.id]);
      },
    }),
    [toggle, save, change, drop],
  );
  return { actions, editing };
}

/** The row that the keys mean, moved by j and k; -1 before the first of them. */
function useCursor(
  rows: Row[],
  selected: ReadonlySet<string>,
  actions: RowActions,
  mayWrite: boolean,
  others: Record<string, () => void>,
): number {
  const [at, setAt] = useState(-1);
  const router = useRouter();
  const shown = Math.min(at, rows.length - 1);
  const row = rows[shown];
  function open(event: KeyboardEvent) {
    const isOnPage = event.target === document.body || (event.target as HTMLElement).id === "content";
    if (row && isOnPage) router.push(`/memory/?id=${row.id}`);
  }
  useShortcuts({
    Enter: open,
    j: () => setAt(Math.min(shown + 1, rows.length - 1)),
    k: () => setAt(Math.max(shown - 1, 0)),
    x: () => row && actions.toggle([row], !selected.has(row.id)),
    e: (event) => {
      event.preventDefault(); // or the letter lands in the field that opens
      if (row && mayWrite) actions.edit(row.id);
    },
    "/": (event) => {
      event.preventDefault();
      others["/"]?.();
    },
    n: (event) => {
      event.preventDefault();
      others.n?.();
    },
  });
  return shown;
}
