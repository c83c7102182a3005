"use client";

import { useState } from "react";
import type { Chosen, Format, Preview } from "@/api/imports";
import { useMe } from "@/api/session";
import { Field, Input, NativeSelect } from "../ui/field";
import { named } from "./choices";

const FORMATS: [Format, string][] = [
  ["chatgpt", "ChatGPT export"],
  ["claude", "Claude export"],
  ["mem0", "mem0 export"],
  ["mem9", "mem9 memory file"],
  ["session", "Messages of a session"],
  ["json", "JSON"],
  ["csv", "CSV table"],
  ["markdown", "Markdown or text"],
];

type OptionsProps = {
  found: Preview;
  chosen: Chosen;
  onChange: (part: Partial<Chosen>) => void;
  onFormat: (format: Format) => void;
};

/** What is said of all that is imported. */
export function Options({ found, chosen, onChange, onFormat }: OptionsProps) {
  const me = useMe();
  const [tags, setTags] = useState("");
  const [categories, setCategories] = useState("");
  return (
    <div className="grid items-start gap-4 sm:grid-cols-2">
      <Field label="Read as" hint="Told by what is in the file.">
        {(id) => (
          <NativeSelect
            id={id}
            className="w-full"
            value={found.format}
            onChange={(event) => onFormat(event.target.value as Format)}
          >
            {FORMATS.map(([format, label]) => (
              <option key={format} value={format}>
                {label}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      <Field label="App" hint="The app that is said to have written the memories; they can be found by it.">
        {(id) => (
          <Input
            id={id}
            value={chosen.app}
            maxLength={255}
            disabled={me.app !== null}
            onChange={(event) => onChange({ app: event.target.value })}
          />
        )}
      </Field>
      <Field label="Tags" hint="For everything that is imported, with commas between them.">
        {(id) => (
          <Input
            id={id}
            value={tags}
            maxLength={1_000}
            onChange={(event) => {
              setTags(event.target.value);
              onChange({ tags: named(event.target.value) });
            }}
          />
        )}
      </Field>
      {found.memories > 0 && (
        <Field label="Categories" hint="For memories, beside those that the file names.">
          {(id) => (
            <Input
              id={id}
              value={categories}
              maxLength={1_000}
              onChange={(event) => {
                setCategories(event.target.value);
                onChange({ categories: named(event.target.value) });
              }}
            />
          )}
        </Field>
      )}
    </div>
  );
}

type ModeProps = { found: Preview; value: Chosen["mode"]; onChange: (mode: Chosen["mode"]) => void };

/** Of a backup: what becomes of memories that are here already. */
export function Mode({ found, value, onChange }: ModeProps) {
  const choices = [
    { mode: "skip", label: "Keep what is here", note: "Only memories that are not here yet are brought back." },
    {
      mode: "overwrite",
      label: "Overwrite",
      note: "Memories become what the backup says, deleted ones come back. The old versions are kept.",
    },
  ] as const;
  return (
    <fieldset className="grid gap-3 sm:grid-cols-2">
      <legend className="mb-2 font-medium">
        {found.duplicates > 0
          ? "Some of these memories are here already. What should become of them?"
          : "What should become of memories that are here already?"}
      </legend>
      {choices.map(({ mode, label, note }) => (
        <label
          key={mode}
          className="flex cursor-pointer flex-col rounded-lg border bg-raised p-3 has-checked:border-accent has-focus-visible:outline-2"
        >
          <input
            type="radio"
            name="mode"
            className="sr-only"
            value={mode}
            checked={value === mode}
            onChange={() => onChange(mode)}
          />
          <span className="font-medium">{label}</span>
          <span className="text-muted-foreground">{note}</span>
        </label>
      ))}
    </fieldset>
  );
}
