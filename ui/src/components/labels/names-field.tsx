"use client";

import { X } from "lucide-react";
import { type KeyboardEvent, useId } from "react";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";

const MOST = 32; // names that the server takes at once

/** Names that were taken, and what is being typed, which counts as well: nobody should lose a name for an Enter. */
export type Names = { names: string[]; text: string };

export function taken({ names, text }: Names): string[] {
  const name = text.trim();
  return name === "" || names.includes(name) || names.length >= MOST ? names : [...names, name];
}

type NamesFieldProps = {
  label: string;
  value: Names;
  onChange: (value: Names) => void;
  /** Names that there are, offered while one is typed. */
  known: string[];
};

/** Some names: each is typed, or chosen from those that there are, and Enter takes it. */
export function NamesField({ label, value, onChange, known }: NamesFieldProps) {
  const { names, text } = value;
  const offered = useId();
  function press(event: KeyboardEvent) {
    if (event.key === "Enter" && text.trim() !== "") {
      event.preventDefault(); // the form is sent by an Enter in an empty field
      onChange({ names: taken(value), text: "" });
    }
    if (event.key === "Backspace" && text === "") onChange({ names: names.slice(0, -1), text });
  }
  return (
    <Field label={label}>
      {(id) => (
        <>
          {names.length > 0 && (
            <ul className="flex flex-wrap gap-1.5" aria-label={`${label} chosen`}>
              {names.map((one) => (
                <li key={one} className="min-w-0">
                  <Badge tone="accent" className="pr-0.5">
                    <span className="truncate">{one}</span>
                    <Button
                      variant="ghost"
                      size="inline"
                      className="rounded-xs p-0.5"
                      aria-label={`Take off ${one}`}
                      onClick={() => onChange({ names: names.filter((other) => other !== one), text })}
                    >
                      <X />
                    </Button>
                  </Badge>
                </li>
              ))}
            </ul>
          )}
          <div className="flex gap-2">
            <Input
              id={id}
              list={offered}
              value={text}
              maxLength={255}
              autoComplete="off"
              placeholder="A name, then Enter"
              onChange={(event) => onChange({ names, text: event.target.value })}
              onKeyDown={press}
            />
            <datalist id={offered}>
              {known
                .filter((one) => !names.includes(one))
                .slice(0, 100)
                .map((one) => (
                  <option key={one} value={one} />
                ))}
            </datalist>
          </div>
        </>
      )}
    </Field>
  );
}
