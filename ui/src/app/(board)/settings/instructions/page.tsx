"use client";

import type { ConfigSchema, Configuration } from "@/api/config";
import { limits } from "@/api/config";
import { PageHeader, Section } from "@/components/page-header";
import { type Knob, Knobs, useOpenMemory } from "@/components/settings/knobs";
import { WithConfig } from "@/components/settings/loaded";
import { SaveBar } from "@/components/settings/saving";
import { Field, Textarea } from "@/components/ui/field";
import { grouped } from "@/format";

const KNOBS: Knob[] = [
  {
    key: "duplicate_threshold",
    label: "Near duplicates",
    hint: "Least likeness to count as one; the words have to be the same, too. 1 leaves only equal texts.",
  },
  { key: "llm_timeout", label: "Patience with the LLM", hint: "One try may take so long.", unit: "seconds" },
  {
    key: "review_with_llm",
    label: "Review with the LLM",
    hint: "It judges memories that read alike, in the background: a call for up to 20 pairs, whatever they came from.",
  },
];

export default function Instructions() {
  return (
    <>
      <PageHeader title="Extraction" note="How what agents send becomes memories." />
      <WithConfig>
        {(config, schema) => (
          <div className="grid gap-10">
            <CustomInstructions config={config} schema={schema} />
            <Section title="Duplicates, patience and review">
              <Knobs config={config} schema={schema} knobs={KNOBS} told="Extraction saved" />
            </Section>
          </div>
        )}
      </WithConfig>
    </>
  );
}

function CustomInstructions({ config, schema }: { config: Configuration; schema: ConfigSchema }) {
  const { draft, saving, change } = useOpenMemory(config, ["custom_instructions"], "Instructions saved");
  const text = draft.value.custom_instructions ?? "";
  const most = limits(schema, "OpenMemory", "custom_instructions").maxLength ?? Number.POSITIVE_INFINITY;
  const isLong = text.length > most;
  return (
    <Section title="Instructions">
      <div className="max-w-2xl">
        <Field
          label="What the LLM is told when it extracts memories"
          hint={
            <span className="flex flex-wrap justify-between gap-2">
              <span>For everybody. An add that brings a prompt of its own has that told first.</span>
              <span className="tabular">
                {grouped(text.length)} of {grouped(most)} characters
              </span>
            </span>
          }
          error={isLong ? `${grouped(text.length - most)} characters too many.` : undefined}
        >
          {(id) => (
            <Textarea
              id={id}
              value={text}
              rows={8}
              aria-invalid={isLong}
              className="min-h-40"
              placeholder="Remember decisions and why they were taken. Leave out small talk."
              onChange={({ target }) => change({ custom_instructions: target.value || null })}
            />
          )}
        </Field>
        {config.mem0.llm.provider === null && (
          <p className="mt-3 rounded-md bg-warning-soft px-3 py-2 text-warning">
            No LLM is configured: texts are stored as they are said, and instructions have no effect.
          </p>
        )}
        <SaveBar draft={draft} saving={saving} isInvalid={isLong} />
      </div>
    </Section>
  );
}
