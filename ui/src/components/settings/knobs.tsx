"use client";

import type { ReactNode } from "react";
import { type ConfigSchema, type Configuration, limits, type OpenMemory } from "@/api/config";
import { grouped } from "@/format";
import { Field, Input } from "../ui/field";
import { Switch } from "../ui/switch";
import { useDraft } from "./draft";
import { SaveBar, useSaving } from "./saving";

export type Knob = { key: keyof OpenMemory; label: string; hint: string; unit?: string };
type Picked = Partial<OpenMemory>;

/** Those keys of `openmemory`. */
export function pick(config: Configuration, keys: readonly (keyof OpenMemory)[]): Picked {
  return Object.fromEntries(keys.map((key) => [key, config.openmemory[key]]));
}

/** A draft of some keys of `openmemory`, and how it is saved. */
export function useOpenMemory(config: Configuration, keys: readonly (keyof OpenMemory)[], told: string) {
  const of = (whole: Configuration) => pick(whole, keys);
  const draft = useDraft(of(config));
  const saving = useSaving({ draft, of, sent: (value) => ({ method: "PATCH", sent: { openmemory: value } }), told });
  const change = (values: Picked) => draft.set({ ...draft.value, ...values });
  return { draft, saving, change };
}

type Props = { config: Configuration; schema: ConfigSchema; knobs: readonly Knob[]; told: string };

/** Numbers and switches of `openmemory` with the server's own limits and defaults. */
export function Knobs({ config, schema, knobs, told }: Props) {
  const { draft, saving, change } = useOpenMemory(
    config,
    knobs.map(({ key }) => key),
    told,
  );
  return (
    <div className="max-w-2xl">
      <div className="grid items-start gap-4 sm:grid-cols-2">
        {knobs.map((knob) => (
          <KnobField
            key={knob.key}
            knob={knob}
            schema={schema}
            value={draft.value[knob.key]}
            onChange={(value) => change({ [knob.key]: value })}
          />
        ))}
      </div>
      <SaveBar
        draft={draft}
        saving={saving}
        isInvalid={!knobs.every(({ key }) => fits(schema, key, draft.value[key]))}
      />
    </div>
  );
}

/** Whether the value is within the server's limits; empty is the default. */
export function fits(schema: ConfigSchema, key: keyof OpenMemory, value: unknown): boolean {
  if (typeof value !== "number") return value === null || typeof value === "boolean";
  const { min = Number.NEGATIVE_INFINITY, max = Number.POSITIVE_INFINITY, isWhole } = limits(schema, "OpenMemory", key);
  return value >= min && value <= max && (!isWhole || Number.isInteger(value));
}

type FieldProps = { knob: Knob; schema: ConfigSchema; value: unknown; onChange: (value: unknown) => void };

/** One of them. */
export function KnobField({ knob: { key, label, hint, unit }, schema, value, onChange }: FieldProps) {
  if (typeof value === "boolean") {
    return (
      <Field label={label} hint={hint}>
        {(id) => <Switch id={id} checked={value} onCheckedChange={onChange} className="my-2" />}
      </Field>
    );
  }
  const { min, max, isWhole } = limits(schema, "OpenMemory", key);
  const default_ = schema.default.openmemory[key];
  const range = min === undefined || max === undefined ? "" : `${grouped(min)} to ${grouped(max)}`;
  return (
    <Field
      label={label}
      hint={<Hint hint={hint} range={range} unit={unit} default_={typeof default_ === "number" ? default_ : null} />}
      error={fits(schema, key, value) ? undefined : `${isWhole ? "A whole number" : "A number"}, ${range}.`}
    >
      {(id) => (
        <Input
          id={id}
          type="number"
          inputMode="decimal"
          min={min}
          max={max}
          step={isWhole ? 1 : "any"}
          aria-invalid={!fits(schema, key, value)}
          value={typeof value === "number" ? value : ""}
          placeholder={default_ === null ? "Never" : String(default_)}
          onChange={({ target }) => onChange(target.value === "" ? null : Number(target.value))}
        />
      )}
    </Field>
  );
}

function Hint({
  hint,
  range,
  unit,
  default_,
}: {
  hint: ReactNode;
  range: string;
  unit?: string;
  default_: number | null;
}) {
  return (
    <>
      {hint} {range}
      {unit ? ` ${unit}` : ""}
      {default_ === null ? "." : `; ${grouped(default_)} unless changed.`}
    </>
  );
}
