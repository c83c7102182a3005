"use client";

import { createColumnHelper, tableFeatures, useTable } from "@tanstack/react-table";
import { ArrowDown, ArrowUp, Ellipsis } from "lucide-react";
import dynamic from "next/dynamic";
import { type ComponentProps, memo, type ReactNode, useEffect, useMemo, useRef, useState } from "react";
import type { Row, SortColumn, State, Wanted } from "@/api/memories";
import { cn } from "@/cn";
import { brief } from "@/format";
import { Expandable } from "../expandable";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Checkbox } from "../ui/checkbox";
import { Skeleton } from "../ui/skeleton";
import { StateBadge } from "./state-badge";

// What is not seen at once comes after the page.
const RowMenu = dynamic(() => import("./row-menu").then((it) => it.RowMenu), {
  ssr: false,
  loading: () => <MenuButton aria-label="Actions" />,
});
const Editor = dynamic(() => import("./editor").then((it) => it.Editor), {
  ssr: false,
  loading: () => <Skeleton className="h-20 w-full" />,
});

const FEATURES = tableFeatures({});
const helper = createColumnHelper<typeof FEATURES, Row>();

/** What the table may do with its rows. */
export type RowActions = {
  toggle: (rows: Row[], isOn: boolean) => void;
  edit: (id: string | null) => void;
  save: (row: Row, content: string) => void;
  setState: (row: Row, state: State) => void;
  remove: (row: Row) => void;
};

type MemoryTableProps = {
  rows: Row[];
  wanted: Pick<Wanted, "sort" | "dir">;
  isRanked: boolean;
  showsOwner: boolean;
  mayWrite: boolean;
  selected: ReadonlySet<string>;
  editing: string | null;
  at: number;
  actions: RowActions;
  onSort: (sort: SortColumn, dir: "asc" | "desc") => void;
};

const SORTABLE: Record<string, SortColumn> = {
  memory: "memory",
  categories: "categories",
  app: "app_name",
  created: "created_at",
};
const WIDTHS: Record<string, string> = {
  select: "w-9",
  score: "w-14 max-sm:hidden",
  categories: "w-44 max-lg:hidden",
  app: "w-32 max-md:hidden",
  owner: "w-32 max-lg:hidden",
  created: "w-32 max-md:hidden",
  actions: "w-10",
};

/** The memories of a page. On a narrow screen what the other columns say stands under the text. */
export function MemoryTable(props: MemoryTableProps) {
  const { rows, wanted, isRanked, showsOwner, mayWrite, selected, actions, onSort } = props;
  const columns = useMemo(() => {
    const shown = ["select", ...(isRanked ? ["score"] : []), "memory", "categories", "app"];
    const names = [...shown, ...(showsOwner ? ["owner"] : []), "created", ...(mayWrite ? ["actions"] : [])];
    return helper.columns(names.map((id) => helper.display({ id })));
  }, [isRanked, showsOwner, mayWrite]);
  const table = useTable({ features: FEATURES, columns, data: rows, getRowId: (row) => row.id });
  const onPage = rows.filter((row) => selected.has(row.id)).length;
  const all = onPage === 0 ? false : onPage === rows.length ? true : "indeterminate";
  const heads: Record<string, ReactNode> = {
    select: (
      <Checkbox
        aria-label="Select this page"
        checked={all}
        onCheckedChange={(isOn) => actions.toggle(rows, isOn === true)}
      />
    ),
    score: "Match",
    memory: "Memory",
    categories: "Categories",
    app: "App",
    owner: "Owner",
    created: "Created",
    actions: <span className="sr-only">Actions</span>,
  };
  return (
    <table className="w-full table-fixed border-collapse">
      <thead>
        {table.getHeaderGroups().map((group) => (
          <tr key={group.id} className="border-b text-left text-xs text-muted-foreground">
            {group.headers.map(({ id }) => (
              <Head key={id} id={id} wanted={wanted} isSortable={!isRanked} onSort={onSort}>
                {heads[id]}
              </Head>
            ))}
          </tr>
        ))}
      </thead>
      <tbody>
        {table.getRowModel().rows.map((row, index) => (
          <MemoryRow
            key={row.id}
            row={row.original}
            cells={columns}
            isAt={index === props.at}
            isSelected={selected.has(row.id)}
            isEdited={props.editing === row.id}
            showsOwner={showsOwner}
            actions={actions}
          />
        ))}
      </tbody>
    </table>
  );
}

type HeadProps = {
  id: string;
  wanted: Pick<Wanted, "sort" | "dir">;
  isSortable: boolean;
  onSort: MemoryTableProps["onSort"];
  children: ReactNode;
};

function Head({ id, wanted, isSortable, onSort, children }: HeadProps) {
  const sort = SORTABLE[id];
  const isSorted = isSortable && sort === wanted.sort;
  const classes = cn("h-9 px-2 font-medium", WIDTHS[id]);
  if (!sort || !isSortable) {
    return (
      <th scope="col" className={classes}>
        {children}
      </th>
    );
  }
  const next = isSorted ? (wanted.dir === "asc" ? "desc" : "asc") : sort === "created_at" ? "desc" : "asc";
  const Arrow = wanted.dir === "asc" ? ArrowUp : ArrowDown;
  return (
    <th
      scope="col"
      className={classes}
      aria-sort={isSorted ? (wanted.dir === "asc" ? "ascending" : "descending") : "none"}
    >
      <Button
        variant="ghost"
        size="inline"
        className="hover:bg-transparent hover:text-foreground"
        onClick={() => onSort(sort, next)}
      >
        {children}
        {isSorted && <Arrow className="size-3.5" />}
      </Button>
    </th>
  );
}

type MemoryRowProps = {
  row: Row;
  cells: { id?: string }[];
  isAt: boolean;
  isSelected: boolean;
  isEdited: boolean;
  showsOwner: boolean;
  actions: RowActions;
};

/** One row; drawn again only when something of it changed, for there may be a hundred. */
const MemoryRow = memo(function MemoryRow({
  row,
  cells,
  isAt,
  isSelected,
  isEdited,
  showsOwner,
  actions,
}: MemoryRowProps) {
  const element = useRef<HTMLTableRowElement>(null);
  useEffect(() => {
    if (isAt) element.current?.scrollIntoView({ block: "nearest" });
  }, [isAt]);
  const content: Record<string, ReactNode> = {
    select: (
      <Checkbox
        aria-label={`Select ${brief(row.content, 40)}`}
        checked={isSelected}
        onCheckedChange={(isOn) => actions.toggle([row], isOn === true)}
      />
    ),
    score: <span className="tabular text-muted-foreground">{row.confidence}%</span>,
    memory: isEdited ? (
      <Editor text={row.content} onSave={(text) => actions.save(row, text)} onCancel={() => actions.edit(null)} />
    ) : (
      <Content row={row} showsOwner={showsOwner} />
    ),
    categories: <Categories names={row.categories} />,
    app: (
      <span className="block truncate" title={row.app_name}>
        {row.app_name}
      </span>
    ),
    owner: (
      <span className="block truncate" title={row.user_id}>
        {row.user_id}
      </span>
    ),
    created: <Time at={row.created_at} className="text-muted-foreground" />,
    actions: (
      <MenuOnDemand
        memory={row}
        onEdit={() => actions.edit(row.id)}
        onState={(state) => actions.setState(row, state)}
        onDelete={() => actions.remove(row)}
      />
    ),
  };
  return (
    <tr
      ref={element}
      data-at={isAt || undefined}
      aria-current={isAt ? "true" : undefined}
      className={cn(
        "border-b align-top hover:bg-muted/50",
        isSelected && "bg-accent-soft/60",
        isAt && "shadow-[inset_2px_0_0_var(--accent)]",
      )}
    >
      {cells.map(({ id = "" }) => (
        <td
          key={id}
          className={cn("px-2 py-2.5", id === "select" && "pt-3", id === "actions" && "py-1.5 text-right", WIDTHS[id])}
        >
          {content[id]}
        </td>
      ))}
    </tr>
  );
});

/** A row's menu, made when it is first opened: a menu is twenty components, and most of a hundred rows never open theirs. */
function MenuOnDemand(props: ComponentProps<typeof RowMenu>) {
  const [isWanted, setWanted] = useState(false);
  if (isWanted) return <RowMenu {...props} isOpen />;
  return (
    <MenuButton
      aria-label={`Actions for ${brief(props.memory.content, 40)}`}
      onClick={() => setWanted(true)}
      onKeyDown={(event) => event.key === "ArrowDown" && setWanted(true)}
    />
  );
}

function MenuButton(props: ComponentProps<typeof Button>) {
  return (
    <Button variant="ghost" size="icon-small" aria-haspopup="menu" aria-expanded={false} {...props}>
      <Ellipsis />
    </Button>
  );
}

function Content({ row, showsOwner }: { row: Row; showsOwner: boolean }) {
  const isDimmed = row.state !== "active";
  return (
    <>
      <Expandable
        text={row.content}
        href={`/memory/?id=${row.id}`}
        className={isDimmed ? "text-muted-foreground" : undefined}
      />
      <div className="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted-foreground empty:hidden">
        {isDimmed && <StateBadge state={row.state} />}
        {row.author && <span>by {row.author}</span>}
        {row.tags.map((tag) => (
          <span key={tag}>#{tag}</span>
        ))}
        <span className="md:hidden">
          {row.app_name}
          {showsOwner && ` · ${row.user_id}`} · <Time at={row.created_at} />
        </span>
        <span className="flex flex-wrap gap-1 lg:hidden">
          {row.categories.map((name) => (
            <Badge key={name}>{name}</Badge>
          ))}
        </span>
      </div>
    </>
  );
}

function Categories({ names }: { names: string[] }) {
  return (
    <span className="flex flex-wrap gap-1">
      {names.map((name) => (
        <Badge key={name} title={name}>
          {name}
        </Badge>
      ))}
    </span>
  );
}

/** As large as the table that is coming. */
export function TableSkeleton({ rows = 12 }: { rows?: number }) {
  return (
    <div aria-hidden>
      <div className="h-9 border-b" />
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <div key={index} className="flex h-[46px] items-center gap-4 border-b px-2">
          <Skeleton className="size-4" />
          <Skeleton className="h-4 flex-1" />
          <Skeleton className="h-4 w-24 max-md:hidden" />
          <Skeleton className="h-4 w-20 max-md:hidden" />
        </div>
      ))}
    </div>
  );
}
