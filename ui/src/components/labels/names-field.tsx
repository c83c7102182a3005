"use client";

import { X } from "lucide-react";
import { type KeyboardEvent, useId, useState } from "react";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";

const MOST = 32; // names that the server takes at once

type NamesFieldProps = {
  label: string;
  hint?: string;
  names: string[];
  onChange: (names: string[]) => void;
  /** Names that there are, offered while one is typed. */
  known: string[];
  onType?: (text: string) => void;
};

/** Some names: each is typed, or chosen from those that there are, and Enter takes it. */
export function NamesField({ label, hint, names, onChange, known, onType }: NamesFieldProps) {
  const [text, setText] = useState("");
  const offered = useId();
  const name = text.trim();
  function take() {
    if (name === "") return;
    if (!names.includes(name) && names.length < MOST) onChange([...names, name]);
    setText("");
    onType?.("");
  }
  function press(event: KeyboardEvent) {
    if (event.key === "Enter" && name !== "") {
      event.preventDefault(); // the form is sent by an Enter in an empty field
      take();
    }
    if (event.key === "Backspace" && text === "") onChange(names.slice(0, -1));
  }
  return (
    <Field label={label} hint={hint}>
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
                      onClick={() => onChange(names.filter((other) => other !== one))}
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
              onChange={(event) => {
                setText(event.target.value);
                onType?.(event.target.value);
              }}
              onKeyDown={press}
              onBlur={take}
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
