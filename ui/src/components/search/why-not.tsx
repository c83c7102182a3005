"use client";

import { type FormEvent, useEffect, useState } from "react";
import { type Asked, useWhyNot } from "@/api/search";
import { Section } from "../page-header";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { Verdict } from "./verdict";

const UUID = /[0-9a-f]{8}(-[0-9a-f]{4}){3}-[0-9a-f]{12}/i;

/** "Why not this one?": the state, rule, filter or rank that keeps a memory out of the hits. */
export function WhyNot({ asked }: { asked: Asked }) {
  const [text, setText] = useState("");
  const why = useWhyNot(asked);
  const id = UUID.exec(text)?.[0];
  const { reset } = why;
  // biome-ignore lint/correctness/useExhaustiveDependencies: an answer belongs to the search that was asked
  useEffect(() => reset(), [asked.q, asked.mode, asked.limit, asked.threshold, asked.app, asked.rerank, reset]);
  function submit(event: FormEvent) {
    event.preventDefault();
    if (id) why.mutate(id);
  }
  return (
    <Section title="Why not this one?">
      <form onSubmit={submit} className="grid gap-2">
        <Field
          label="A memory that you miss"
          hint="Its id, or the address of its page."
          error={text && !id ? "There is no id in this." : why.error?.message}
        >
          {(field) => (
            <Input id={field} value={text} spellCheck={false} onChange={(event) => setText(event.target.value)} />
          )}
        </Field>
        <Button type="submit" className="justify-self-start" disabled={!id || asked.q.trim() === "" || why.isPending}>
          Ask why
        </Button>
      </form>
      {why.data && <Verdict verdict={why.data} />}
    </Section>
  );
}
