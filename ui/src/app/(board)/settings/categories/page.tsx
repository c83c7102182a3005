"use client";

import { PageHeader, Section } from "@/components/page-header";
import { CategoryTable } from "@/components/settings/category-table";
import { type Knob, Knobs } from "@/components/settings/knobs";
import { WithConfig } from "@/components/settings/loaded";

const KNOBS: Knob[] = [
  {
    key: "category_threshold",
    label: "Least likeness",
    hint: "Between a memory and a category’s description, as a cosine.",
  },
  { key: "max_categories", label: "Categories of a memory", hint: "So many at most." },
];

export default function Categories() {
  return (
    <>
      <PageHeader
        title="Categories"
        note="A memory gets the names whose descriptions are near to it. Memories that are there keep those they have."
      />
      <WithConfig>
        {(config, schema) => (
          <div className="grid gap-10">
            <CategoryTable config={config} schema={schema} />
            <Section title="How many, and how near">
              <Knobs config={config} schema={schema} knobs={KNOBS} told="Saved" />
            </Section>
          </div>
        )}
      </WithConfig>
    </>
  );
}
