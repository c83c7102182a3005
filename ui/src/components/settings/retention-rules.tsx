"use client";

import { Plus, Trash2 } from "lucide-react";
import { useId } from "react";
import { type ConfigSchema, type Configuration, type Limits, limits, type Rule } from "@/api/config";
import { useApps } from "@/api/memories";
import { grouped } from "@/format";
import { Section } from "../page-header";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { fits, KnobField, useOpenMemory } from "./knobs";
import { doubled } from "./lists";
import { SaveBar } from "./saving";

type Props = { config: Configuration; schema: ConfigSchema };

const PURGE = {
  key: "purge_after_days",
  label: "Destroy deleted memories after",
  hint: "For good, with all their versions. Empty is never.",
  unit: "days",
} as const;

/** The rules and when what is deleted goes for good, saved together. */
export function RetentionRules({ config, schema }: Props) {
  const { draft, saving, change } = useOpenMemory(config, ["retention", "purge_after_days"], "Retention saved");
  const rules = draft.value.retention ?? [];
  const most = schema.$defs.OpenMemory?.properties.retention?.maxItems ?? 20;
  const twice = doubled(rules.map(({ name }) => name));
  const days = limits(schema, "Rule", "archive_after_days");
  const set = (retention: Rule[]) => change({ retention });
  const wrong = (rule: Rule) => complaint(rule, twice, days);
  const purge = draft.value.purge_after_days ?? null;
  return (
    <div className="max-w-3xl">
      <Section
        title="Rules"
        aside={
          <Button size="small" disabled={rules.length >= most} onClick={() => set([...rules, fresh(rules)])}>
            <Plus /> Add a rule
          </Button>
        }
      >
        <div className="max-w-3xl">
          {rules.length === 0 && (
            <p className="text-muted-foreground">There are no rules: nothing is archived by itself.</p>
          )}
          <ol className="grid gap-3">
            {rules.map((rule, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: rules are asked in this order
              <li key={place}>
                <RuleFields
                  rule={rule}
                  days={days}
                  categories={config.openmemory.categories.map(({ name }) => name)}
                  error={wrong(rule)}
                  onChange={(changed) => set(rules.map((other, at) => (at === place ? changed : other)))}
                  onRemove={() => set(rules.filter((_, at) => at !== place))}
                />
              </li>
            ))}
          </ol>
          <div className="mt-6 max-w-sm">
            <KnobField
              knob={PURGE}
              schema={schema}
              value={purge}
              onChange={(value) => change({ purge_after_days: value as number })}
            />
          </div>
          {purge !== null && config.openmemory.purge_after_days === null && (
            <p className="mt-3 rounded-md bg-warning-soft px-3 py-2 text-warning">
              What was deleted {grouped(purge)} days ago or earlier is destroyed soon after this is saved, and cannot be
              brought back.
            </p>
          )}
          <SaveBar
            isLong
            draft={draft}
            saving={saving}
            isInvalid={rules.some(wrong) || !fits(schema, "purge_after_days", purge)}
          />
        </div>
      </Section>
    </div>
  );
}

function fresh(rules: Rule[]): Rule {
  const names = new Set(rules.map(({ name }) => name));
  let number = rules.length + 1;
  while (names.has(`rule ${number}`)) number += 1;
  return { name: `rule ${number}`, archive_after_days: 365 };
}

export function complaint(rule: Rule, twice: Set<string>, { min = 1, max = Number.MAX_SAFE_INTEGER }: Limits) {
  const ages = [rule.archive_after_days, rule.archive_after_days_without_access].filter((days) => days != null);
  if (!rule.name.trim()) return "It needs a name.";
  if (twice.has(rule.name.trim().toLocaleLowerCase())) return "Another rule has the same name.";
  if (ages.length === 0) return "It needs an age, or a time without access, or both.";
  if (ages.some((days) => !Number.isInteger(days) || days < min || days > max)) {
    return `Days are whole numbers, ${grouped(min)} to ${grouped(max)}.`;
  }
  return undefined;
}

type FieldsProps = {
  rule: Rule;
  days: Limits;
  categories: string[];
  error?: string;
  onChange: (rule: Rule) => void;
  onRemove: () => void;
};

function RuleFields({ rule, days, categories, error, onChange, onRemove }: FieldsProps) {
  const apps = useApps();
  const [appList, categoryList] = [useId(), useId()];
  const set = (key: keyof Rule, value: string | number | null) => {
    const { [key]: _, ...rest } = rule;
    onChange((value === null ? rest : { ...rest, [key]: value }) as Rule);
  };
  const text = (key: "app" | "category", label: string, list: string) => (
    <Field label={label}>
      {(id) => (
        <Input
          id={id}
          list={list}
          value={rule[key] ?? ""}
          placeholder="Any"
          maxLength={255}
          onChange={({ target }) => set(key, target.value || null)}
        />
      )}
    </Field>
  );
  const number = (key: "archive_after_days" | "archive_after_days_without_access", label: string) => (
    <Field label={label}>
      {(id) => (
        <Input
          id={id}
          type="number"
          min={days.min}
          max={days.max}
          step={1}
          value={rule[key] ?? ""}
          placeholder="Whatever it is"
          onChange={({ target }) => set(key, target.value === "" ? null : Number(target.value))}
        />
      )}
    </Field>
  );
  return (
    <fieldset className="rounded-lg border bg-raised p-4">
      <legend className="sr-only">Rule {rule.name}</legend>
      <div className="grid items-start gap-3 sm:grid-cols-2">
        <Field label="Name">
          {(id) => (
            <Input
              id={id}
              value={rule.name}
              maxLength={100}
              onChange={({ target }) => onChange({ ...rule, name: target.value })}
            />
          )}
        </Field>
        <div className="flex justify-end self-start max-sm:row-start-1">
          <Button variant="ghost" size="small" aria-label={`Remove ${rule.name}`} onClick={onRemove}>
            <Trash2 /> Remove
          </Button>
        </div>
        {text("app", "Of the app", appList)}
        {text("category", "In the category", categoryList)}
        {number("archive_after_days", "Older than, in days")}
        {number("archive_after_days_without_access", "Not read or changed for, in days")}
      </div>
      <datalist id={appList}>
        {apps.data?.apps.map(({ id, name }) => (
          <option key={id} value={name} />
        ))}
      </datalist>
      <datalist id={categoryList}>
        {categories.map((name) => (
          <option key={name} value={name} />
        ))}
      </datalist>
      {error && (
        <p role="alert" className="mt-3 text-[0.8125rem] text-danger">
          {error}
        </p>
      )}
    </fieldset>
  );
}
