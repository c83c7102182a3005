"use client";

import Link from "next/link";
import { type FormEvent, useState } from "react";
import { useWhyNot } from "@/api/search";
import { Section } from "../page-header";
import { Verdict } from "../search/verdict";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";

const USUAL = { mode: "hybrid", limit: 10, threshold: 0, app: "", rerank: false } as const;

/** Whether a query finds this memory, at which place, and why. */
export function Explain({ id }: { id: string }) {
  const [query, setQuery] = useState("");
  const [asked, setAsked] = useState("");
  const why = useWhyNot({ ...USUAL, q: query });
  function submit(event: FormEvent) {
    event.preventDefault();
    setAsked(query.trim());
    why.mutate(id);
  }
  return (
    <Section title="Explain for a query">
      <form onSubmit={submit} className="grid gap-2">
        <Field
          label="A question"
          hint="Whether a search for it finds this memory, and what its score is made of."
          error={why.error?.message}
        >
          {(field) => (
            <Input
              id={field}
              value={query}
              maxLength={10_000}
              placeholder="As an agent would ask it"
              onChange={(event) => {
                setQuery(event.target.value);
                why.reset();
              }}
            />
          )}
        </Field>
        <Button type="submit" className="justify-self-start" disabled={query.trim() === "" || why.isPending}>
          {why.isPending ? "Asking…" : "Explain"}
        </Button>
      </form>
      {why.data && (
        <>
          <Verdict verdict={why.data} />
          <Link
            className="mt-2 inline-block text-[0.8125rem] text-accent hover:underline"
            href={`/search/?q=${encodeURIComponent(asked)}`}
          >
            All that it finds, in the search lab
          </Link>
        </>
      )}
    </Section>
  );
}
