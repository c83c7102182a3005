"use client";

import { ChevronDown } from "lucide-react";
import { useState } from "react";
import { grouped } from "@/format";
import { Button } from "../ui/button";
import { Checkbox } from "../ui/checkbox";
import { Input } from "../ui/field";
import { Popover, PopoverContent, PopoverTrigger } from "../ui/popover";

type FacetProps = {
  label: string;
  choices: string[];
  /** How many memories each has, where that is known. */
  counts?: { name: string; count: number }[];
  chosen: string[];
  onChange: (chosen: string[]) => void;
  /** Where there are more than could be listed, the server looks for names. */
  onSearch?: (text: string) => void;
  disabled?: boolean;
};

const LONG = 8;

/** Some of a set of names, to be chosen from a list that can be searched. */
export function Facet({ label, choices, counts, chosen, onChange, onSearch, disabled }: FacetProps) {
  const [text, setText] = useState("");
  const listed = [...new Set([...chosen, ...choices])].filter((name) =>
    name.toLowerCase().includes(text.toLowerCase()),
  );
  function toggle(name: string) {
    onChange(chosen.includes(name) ? chosen.filter((other) => other !== name) : [...chosen, name]);
  }
  return (
    <Popover>
      <PopoverTrigger asChild>
        <Button size="small" disabled={disabled} className={chosen.length ? "border-accent" : ""}>
          {label}
          {chosen.length > 0 && (
            <span className="tabular rounded-sm bg-accent-soft px-1 text-accent">{chosen.length}</span>
          )}
          <ChevronDown className="text-muted-foreground" />
        </Button>
      </PopoverTrigger>
      <PopoverContent align="start" className="w-64 p-2" aria-label={label}>
        {(choices.length > LONG || onSearch) && (
          <Input
            className="mb-2 h-8"
            aria-label={`Find in ${label.toLowerCase()}`}
            placeholder="Find"
            value={text}
            onChange={(event) => {
              setText(event.target.value);
              onSearch?.(event.target.value);
            }}
          />
        )}
        <ul className="max-h-64 overflow-y-auto">
          {listed.map((name) => (
            <li key={name}>
              {/* biome-ignore lint/a11y/noLabelWithoutControl: the checkbox is inside */}
              <label className="flex min-h-8 cursor-pointer items-center gap-2.5 rounded-sm px-2 py-1 hover:bg-muted">
                <Checkbox checked={chosen.includes(name)} onCheckedChange={() => toggle(name)} />
                <span className="min-w-0 flex-1 break-words">{name}</span>
                <Count of={counts?.find((one) => one.name === name)?.count} />
              </label>
            </li>
          ))}
        </ul>
        {listed.length === 0 && <p className="px-2 py-3 text-muted-foreground">None</p>}
        {chosen.length > 0 && (
          <Button variant="ghost" size="small" className="mt-1 w-full" onClick={() => onChange([])}>
            Clear
          </Button>
        )}
      </PopoverContent>
    </Popover>
  );
}

function Count({ of }: { of: number | undefined }) {
  return of === undefined ? null : <span className="tabular text-xs text-muted-foreground">{grouped(of)}</span>;
}
