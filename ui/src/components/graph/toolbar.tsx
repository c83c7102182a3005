"use client";

import { CalendarDays, List, Search, Waypoints, X } from "lucide-react";
import type { RefObject } from "react";
import type { GraphAnswer } from "@/api/graph";
import type { State } from "@/api/memories";
import { cn } from "@/cn";
import { grouped } from "@/format";
import { STATES } from "../memories/address";
import { Facet } from "../memories/facet";
import { AppFacet, CategoryFacet, Dates } from "../memories/filters";
import { Button } from "../ui/button";
import { Input, NativeSelect } from "../ui/field";
import { Popover, PopoverContent, PopoverTrigger } from "../ui/popover";
import { type Address, type Change, LIMITS } from "./address";
import { KIND_NAMES, KINDS, type Kind } from "./model";
import { Swatch } from "./swatch";

type ToolbarProps = {
  address: Address;
  change: Change;
  clear: () => void;
  isNarrowed: boolean;
  found: number;
  searchRef: RefObject<HTMLInputElement | null>;
  onNext: () => void;
};

/** What the picture is made of, and what is looked for in it. */
export function Toolbar({ address, change, clear, isNarrowed, found, searchRef, onNext }: ToolbarProps) {
  const dates = [address.from, address.to].filter(Boolean).length;
  return (
    <search className="mb-3 flex flex-wrap items-center gap-2">
      <div className="relative w-full min-w-0 sm:w-64">
        <Search className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted-foreground" />
        <Input
          ref={searchRef}
          type="search"
          aria-label="Find in the graph"
          aria-keyshortcuts="/"
          placeholder="Find in the graph"
          className="h-8 pr-16 pl-8"
          value={address.q}
          maxLength={200}
          onChange={(event) => change({ q: event.target.value })}
          onKeyDown={(event) => {
            if (event.key === "Enter") onNext();
            if (event.key === "Escape") event.currentTarget.blur();
          }}
        />
        <span role="status" className="tabular absolute top-1.5 right-8 text-[0.8125rem] text-muted-foreground">
          {address.q.trim() !== "" && (
            <>
              {grouped(found)}
              <span className="sr-only"> found; Enter goes through them</span>
            </>
          )}
        </span>
      </div>
      <AppFacet chosen={address.apps} onChange={(apps) => change({ apps })} />
      <CategoryFacet chosen={address.categories} onChange={(categories) => change({ categories })} />
      <Facet
        label="State"
        choices={[...STATES]}
        chosen={address.states}
        onChange={(chosen) => change({ states: chosen as State[] })}
      />
      <Popover>
        <PopoverTrigger asChild>
          <Button size="small" className={dates > 0 ? "border-accent" : ""}>
            <CalendarDays /> Dates
          </Button>
        </PopoverTrigger>
        <PopoverContent align="start" className="grid grid-cols-2 gap-2" aria-label="Dates">
          <Dates from={address.from} to={address.to} change={change} />
        </PopoverContent>
      </Popover>
      <NativeSelect
        aria-label="Memories at most"
        className="h-8 text-[0.8125rem]"
        value={address.limit}
        onChange={(event) => change({ limit: Number(event.target.value) })}
      >
        {LIMITS.map((limit) => (
          <option key={limit} value={limit}>
            {grouped(limit)} memories
          </option>
        ))}
      </NativeSelect>
      {isNarrowed && (
        <Button variant="ghost" size="small" onClick={clear}>
          <X /> Clear filters
        </Button>
      )}
    </search>
  );
}

type LegendProps = { answer: GraphAnswer | undefined; address: Address; change: Change };

/** The kinds by their shapes and colours, each to be hidden and shown; and whether it is a picture or a list. */
export function Legend({ answer, address, change }: LegendProps) {
  const counts: Record<Kind, number | undefined> = {
    memory: answer?.memories.length,
    entity: answer?.entities.length,
    category: answer?.categories.length,
    app: answer?.apps.length,
  };
  function toggle(kind: Kind) {
    const { hide } = address;
    change({ hide: hide.includes(kind) ? hide.filter((other) => other !== kind) : [...hide, kind] });
  }
  return (
    <div className="mb-3 flex flex-wrap items-center justify-between gap-2">
      <div role="group" aria-label="Kinds that are drawn" className="flex flex-wrap gap-1">
        {KINDS.map((kind) => {
          const isShown = !address.hide.includes(kind);
          const name = KIND_NAMES[kind][1];
          return (
            <Button
              key={kind}
              variant="ghost"
              size="small"
              aria-pressed={isShown}
              disabled={address.view === "list"}
              className={cn("px-2", !isShown && "text-muted-foreground line-through")}
              onClick={() => toggle(kind)}
            >
              <Swatch kind={kind} />
              {name.charAt(0).toUpperCase() + name.slice(1)}
              <span className="tabular min-w-6 text-left text-muted-foreground">{grouped(counts[kind] ?? 0)}</span>
            </Button>
          );
        })}
      </div>
      <div role="group" aria-label="Shown as" className="flex">
        {VIEWS.map(({ view, label, icon: Icon }, n) => (
          <Button
            key={view}
            size="small"
            aria-pressed={address.view === view}
            className={cn(
              n === 0 ? "rounded-r-none" : "-ml-px rounded-l-none",
              address.view === view && "bg-accent-soft text-accent",
            )}
            onClick={() => change({ view })}
          >
            <Icon /> {label}
          </Button>
        ))}
      </div>
    </div>
  );
}

const VIEWS = [
  { view: "picture", label: "Picture", icon: Waypoints },
  { view: "list", label: "List", icon: List },
] as const;
