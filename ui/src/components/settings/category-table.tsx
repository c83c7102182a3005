"use client";

import { ArrowDown, ArrowUp, Pencil, Plus, Trash2 } from "lucide-react";
import { useRef, useState } from "react";
import { type Category, type ConfigSchema, type Configuration, limits, same } from "@/api/config";
import { counted, grouped } from "@/format";
import { Section } from "../page-header";
import { Notice } from "../states";
import { Button } from "../ui/button";
import { Field, Input, Textarea } from "../ui/field";
import { useOpenMemory } from "./knobs";
import { doubled, moved } from "./lists";
import { SaveBar } from "./saving";

type Props = { config: Configuration; schema: ConfigSchema };

/** The categories: added, changed, removed and put in order; nothing counts until it is saved. */
export function CategoryTable({ config, schema }: Props) {
  const { draft, saving, change } = useOpenMemory(config, ["categories"], "Categories saved");
  const [open, setOpen] = useState<number | null>(null);
  const list = useRef<HTMLOListElement>(null);
  const all = draft.value.categories ?? [];
  const defaults = schema.default.openmemory.categories;
  const most = schema.$defs.OpenMemory?.properties.categories?.maxItems ?? 200;
  const twice = doubled(all.map(({ name }) => name));
  const set = (categories: Category[]) => change({ categories });
  const wrong = (one: Category) => complaint(one, schema, twice);
  function move(place: number, by: number) {
    set(moved(all, place, by));
    if (open === place) setOpen(place + by);
    const button = by < 0 ? "up" : "down";
    // The focus goes along, so that the same key moves it further.
    requestAnimationFrame(() =>
      list.current?.querySelector<HTMLElement>(`[data-place="${place + by}"] [data-move="${button}"]`)?.focus(),
    );
  }
  return (
    <Section
      title={counted(all.length, "category", "categories")}
      aside={
        <Button
          size="small"
          disabled={all.length >= most}
          onClick={() => {
            set([{ name: "", description: "" }, ...all]);
            setOpen(0);
          }}
        >
          <Plus /> Add
        </Button>
      }
    >
      {all.length === 0 && <Notice title="No categories">Memories get none, until some are added.</Notice>}
      <ol ref={list} className="grid divide-y border-y empty:hidden">
        {all.map((one, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: a place in an order is what these are
          <li key={place} data-place={place} className="grid gap-x-6 py-2.5 md:grid-cols-[minmax(0,1fr)_auto]">
            {open === place ? (
              <Editor
                one={one}
                schema={schema}
                error={wrong(one)}
                onChange={(changed) => set(all.map((other, at) => (at === place ? changed : other)))}
                onClose={() => setOpen(null)}
              />
            ) : (
              <Shown one={one} error={wrong(one)} />
            )}
            <div className="flex flex-wrap self-start max-md:mt-1 max-md:-ml-2">
              {open !== place && (
                <Button variant="ghost" size="small" aria-label={`Edit ${one.name}`} onClick={() => setOpen(place)}>
                  <Pencil /> Edit
                </Button>
              )}
              <Button
                variant="ghost"
                size="icon-small"
                data-move="up"
                aria-label={`Move ${one.name} up`}
                disabled={place === 0}
                onClick={() => move(place, -1)}
              >
                <ArrowUp />
              </Button>
              <Button
                variant="ghost"
                size="icon-small"
                data-move="down"
                aria-label={`Move ${one.name} down`}
                disabled={place === all.length - 1}
                onClick={() => move(place, 1)}
              >
                <ArrowDown />
              </Button>
              <Button
                variant="ghost"
                size="icon-small"
                aria-label={`Remove ${one.name}`}
                onClick={() => {
                  setOpen(null);
                  set(all.filter((_, at) => at !== place));
                }}
              >
                <Trash2 />
              </Button>
            </div>
          </li>
        ))}
      </ol>
      <SaveBar isLong draft={draft} saving={saving} isInvalid={all.some(wrong)}>
        <Button disabled={same(all, defaults)} onClick={() => set(defaults)}>
          Back to the defaults
        </Button>
      </SaveBar>
    </Section>
  );
}

function complaint({ name, description }: Category, schema: ConfigSchema, twice: Set<string>): string | undefined {
  if (!name.trim()) return "It needs a name.";
  if (!description.trim()) return "It needs a description: that is what memories are compared with.";
  if (twice.has(name.trim().toLocaleLowerCase())) return "Another one has the same name.";
  const most = limits(schema, "Category", "description").maxLength ?? Number.POSITIVE_INFINITY;
  return description.length > most ? `The description is longer than ${grouped(most)} characters.` : undefined;
}

function Shown({ one, error }: { one: Category; error?: string }) {
  return (
    <div className="max-w-3xl">
      <p className="font-medium break-words">{one.name || "Without a name"}</p>
      <p className="break-words text-muted-foreground">{one.description}</p>
      {error && <p className="text-[0.8125rem] text-danger">{error}</p>}
    </div>
  );
}

type EditorProps = {
  one: Category;
  schema: ConfigSchema;
  error?: string;
  onChange: (one: Category) => void;
  onClose: () => void;
};

function Editor({ one, schema, error, onChange, onClose }: EditorProps) {
  const name = limits(schema, "Category", "name").maxLength;
  const most = limits(schema, "Category", "description").maxLength ?? 0;
  return (
    <div className="grid max-w-3xl gap-3">
      <Field label="Name">
        {(id) => (
          <Input
            id={id}
            autoFocus
            value={one.name}
            maxLength={name}
            onChange={({ target }) => onChange({ ...one, name: target.value })}
          />
        )}
      </Field>
      <Field
        label="What its memories are about"
        hint={`A few sentences as memories would say them. ${grouped(one.description.length)} of ${grouped(most)} characters.`}
        error={error}
      >
        {(id) => (
          <Textarea
            id={id}
            value={one.description}
            aria-invalid={error !== undefined && one.name.trim() !== ""}
            onChange={({ target }) => onChange({ ...one, description: target.value })}
          />
        )}
      </Field>
      <Button size="small" className="justify-self-start" onClick={onClose}>
        Done
      </Button>
    </div>
  );
}
