"use client";

import { Search, SlidersHorizontal, X } from "lucide-react";
import { type RefObject, useEffect, useState } from "react";
import { isRelevance, type Mode, type State, type Wanted } from "@/api/memories";
import { useTags } from "@/api/tags";
import { Button } from "../ui/button";
import { Field, Input, NativeSelect } from "../ui/field";
import { Popover, PopoverContent, PopoverTrigger } from "../ui/popover";
import { isNarrowed, STATES } from "./address";
import { Facet } from "./facet";
import { AppFacet, CategoryFacet, Dates } from "./filters";

const MODE_NAMES: Record<Mode, string> = {
  hybrid: "Meaning and words",
  vector: "Meaning",
  keyword: "Words",
  text: "Exact text",
};
const TYPES = ["insight", "pinned", "session"];
const PAUSE = 250; // ms without a key, until what was typed is looked for

type ToolbarProps = {
  wanted: Wanted;
  change: (part: Partial<Wanted>) => void;
  clear: () => void;
  searchRef: RefObject<HTMLInputElement | null>;
};

/** What narrows the list: words and how they are meant, app, category, state, and the rarer ones behind a button. */
export function Toolbar({ wanted, change, clear, searchRef }: ToolbarProps) {
  const [tagName, setTagName] = useState("");
  const tags = useTags(tagName);
  const isRanked = isRelevance(wanted);
  const rare = [wanted.type, wanted.agent, wanted.session, wanted.from, wanted.to].filter(Boolean).length;
  return (
    <search className="mb-3 flex flex-wrap items-center gap-2">
      <SearchBox wanted={wanted} change={change} searchRef={searchRef} />
      <AppFacet chosen={wanted.apps} onChange={(apps) => change({ apps })} />
      <CategoryFacet chosen={wanted.categories} onChange={(categories) => change({ categories })} />
      <Facet
        label="Tag"
        choices={(tags.data?.tags ?? []).map(({ name }) => name)}
        counts={tags.data?.tags}
        chosen={wanted.tags}
        onChange={(chosen) => change({ tags: chosen })}
        onSearch={tagName || (tags.data?.tags.length ?? 0) >= 100 ? setTagName : undefined}
      />
      <Facet
        label="State"
        choices={[...STATES]}
        chosen={isRanked ? [] : wanted.states}
        onChange={(chosen) => change({ states: chosen as State[] })}
        disabled={isRanked}
      />
      <Popover>
        <PopoverTrigger asChild>
          <Button size="small" className={rare ? "border-accent" : ""}>
            <SlidersHorizontal />
            More
            {rare > 0 && <span className="tabular rounded-sm bg-accent-soft px-1 text-accent">{rare}</span>}
          </Button>
        </PopoverTrigger>
        <PopoverContent align="start" className="grid gap-3" aria-label="More filters">
          <More wanted={wanted} change={change} />
        </PopoverContent>
      </Popover>
      {isNarrowed(wanted) && (
        <Button variant="ghost" size="small" onClick={clear}>
          <X /> Clear filters
        </Button>
      )}
    </search>
  );
}

function SearchBox({ wanted, change, searchRef }: Omit<ToolbarProps, "clear">) {
  const [text, setText] = useState(wanted.q);
  // biome-ignore lint/correctness/useExhaustiveDependencies: only typing starts the clock
  useEffect(() => {
    if (text === wanted.q) return;
    const timer = setTimeout(() => change({ q: text }), PAUSE);
    return () => clearTimeout(timer);
  }, [text]);
  useEffect(() => setText(wanted.q), [wanted.q]);
  return (
    <div className="flex w-full min-w-0 sm:w-[26rem]">
      <div className="relative min-w-0 flex-1">
        <Search className="pointer-events-none absolute top-2 left-2.5 size-4 text-muted-foreground" />
        <Input
          ref={searchRef}
          type="search"
          aria-label="Search memories"
          aria-keyshortcuts="/"
          placeholder="Search memories"
          className="h-8 rounded-r-none pl-8"
          value={text}
          maxLength={1000}
          onChange={(event) => setText(event.target.value)}
          onKeyDown={(event) => event.key === "Escape" && event.currentTarget.blur()}
        />
      </div>
      <NativeSelect
        aria-label="How to search"
        className="h-8 rounded-l-none border-l-0 text-[0.8125rem] max-sm:w-32"
        value={wanted.mode}
        onChange={(event) => change({ mode: event.target.value as Mode })}
      >
        {Object.entries(MODE_NAMES).map(([mode, name]) => (
          <option key={mode} value={mode}>
            {name}
          </option>
        ))}
      </NativeSelect>
    </div>
  );
}

function More({ wanted, change }: Pick<ToolbarProps, "wanted" | "change">) {
  return (
    <>
      <div className="grid grid-cols-2 gap-2">
        <Dates from={wanted.from} to={wanted.to} change={change} />
      </div>
      <Field label="Type">
        {(id) => (
          <NativeSelect
            id={id}
            className="w-full"
            value={wanted.type}
            onChange={(event) => change({ type: event.target.value })}
          >
            <option value="">Any</option>
            {TYPES.map((type) => (
              <option key={type}>{type}</option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <Named label="Agent" value={wanted.agent} onCommit={(agent) => change({ agent })} />
      <Named label="Session" value={wanted.session} onCommit={(session) => change({ session })} />
    </>
  );
}

/** A name that has to match whole: looked for when it is complete, not at every key. */
function Named({ label, value, onCommit }: { label: string; value: string; onCommit: (value: string) => void }) {
  const [text, setText] = useState(value);
  return (
    <Field label={label}>
      {(id) => (
        <Input
          id={id}
          value={text}
          maxLength={255}
          placeholder="Exact name"
          onChange={(event) => setText(event.target.value)}
          onBlur={() => onCommit(text.trim())}
          onKeyDown={(event) => event.key === "Enter" && onCommit(text.trim())}
        />
      )}
    </Field>
  );
}
