"use client";

import { useDeferredValue, useState } from "react";
import type { Preview, Treatment } from "@/api/imports";
import { counted, grouped } from "@/format";
import { Time } from "../time";
import { Button } from "../ui/button";
import { Checkbox } from "../ui/checkbox";
import { Input } from "../ui/field";

const SHOWN = 50;

type TreatmentsProps = { found: Preview; value: Treatment; onChange: (value: Treatment) => void };

/** What becomes of conversations: three cards. */
export function Treatments({ found, value, onChange }: TreatmentsProps) {
  const choices: { value: Treatment; label: string; note: string; isOff?: boolean }[] = [
    {
      value: "learn",
      label: "Learn from them",
      note: found.has_model
        ? "The model reads them and remembers what is worth it. This asks it once for every 50 messages."
        : "Needs a language model: none is configured.",
      isOff: !found.has_model,
    },
    { value: "keep", label: "Keep what you said", note: "Each of your own messages becomes a memory, word for word." },
    { value: "skip", label: "Leave them out", note: "Only memories are imported." },
  ];
  return (
    <fieldset className="grid gap-3 sm:grid-cols-3">
      <legend className="mb-2 font-medium">What should become of the conversations?</legend>
      {choices.map(({ value: one, label, note, isOff }) => (
        <label
          key={one}
          className="flex cursor-pointer flex-col rounded-lg border bg-raised p-3 has-checked:border-accent has-disabled:cursor-not-allowed has-disabled:bg-muted has-focus-visible:outline-2"
        >
          <input
            type="radio"
            name="treatment"
            className="sr-only"
            value={one}
            disabled={isOff}
            checked={value === one}
            onChange={() => onChange(one)}
          />
          <span className="font-medium">{label}</span>
          <span className="text-muted-foreground">{note}</span>
        </label>
      ))}
    </fieldset>
  );
}

type ChooserProps = { talks: Preview["talks"]; chosen: Set<string>; onChange: (chosen: Set<string>) => void };

/** Which conversations, by their titles and days. */
export function Chooser({ talks, chosen, onChange }: ChooserProps) {
  const [words, setWords] = useState("");
  const [most, setMost] = useState(SHOWN);
  const sought = useDeferredValue(words.trim().toLowerCase());
  const found = sought ? talks.filter(({ title }) => title.toLowerCase().includes(sought)) : talks;
  const count = found.filter(({ id }) => chosen.has(id)).length;
  const all = count === 0 ? false : count === found.length ? true : "indeterminate";
  function choose(ids: string[], isIn: boolean) {
    const next = new Set(chosen);
    for (const id of ids) {
      if (isIn) next.add(id);
      else next.delete(id);
    }
    onChange(next);
  }
  return (
    <div className="rounded-lg border bg-raised">
      <div className="flex flex-wrap items-center gap-3 border-b px-3 py-2">
        <Checkbox
          aria-label={sought ? "Choose all that match" : "Choose all conversations"}
          checked={all}
          onCheckedChange={(isIn) =>
            choose(
              found.map(({ id }) => id),
              isIn === true,
            )
          }
        />
        <span className="tabular" role="status">
          {grouped(chosen.size)} of {counted(talks.length, "conversation")} chosen
        </span>
        <Input
          type="search"
          aria-label="Find conversations by title"
          placeholder="Find by title"
          className="h-8 sm:ml-auto sm:w-56"
          value={words}
          onChange={(event) => setWords(event.target.value)}
        />
      </div>
      {found.length === 0 && <p className="px-3 py-6 text-center text-muted-foreground">No title matches</p>}
      <ul className="max-h-96 overflow-y-auto">
        {found.slice(0, most).map((talk) => (
          <Talk key={talk.id} talk={talk} isChosen={chosen.has(talk.id)} onChoose={(isIn) => choose([talk.id], isIn)} />
        ))}
        {found.length > most && (
          <li className="p-2 text-center">
            <Button size="small" variant="ghost" onClick={() => setMost(most + 4 * SHOWN)}>
              Show more of {grouped(found.length)}
            </Button>
          </li>
        )}
      </ul>
    </div>
  );
}

type TalkProps = { talk: Preview["talks"][number]; isChosen: boolean; onChoose: (isIn: boolean) => void };

function Talk({ talk, isChosen, onChoose }: TalkProps) {
  return (
    <li className="border-b last:border-0">
      {/* biome-ignore lint/a11y/noLabelWithoutControl: the checkbox is inside */}
      <label className="flex cursor-pointer items-start gap-3 px-3 py-2 hover:bg-muted">
        <Checkbox className="mt-0.5" checked={isChosen} onCheckedChange={(isIn) => onChoose(isIn === true)} />
        <span className="min-w-0 flex-1">
          <span className="block break-words">{talk.title || "Untitled"}</span>
          <span className="text-[0.8125rem] text-muted-foreground">
            {counted(talk.messages, "message")}, {grouped(talk.by_user)} of them yours
          </span>
        </span>
        {talk.started_at && <Time at={talk.started_at} className="text-[0.8125rem] text-muted-foreground" />}
      </label>
    </li>
  );
}
