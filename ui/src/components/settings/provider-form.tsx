"use client";

import { Zap } from "lucide-react";
import { type ReactNode, useState } from "react";
import { type Choices, type Configuration, type Provided, type SectionName, useTest } from "@/api/config";
import { Section } from "../page-header";
import { Button } from "../ui/button";
import { Field, NativeSelect } from "../ui/field";
import { useDraft } from "./draft";
import { KeyField } from "./key-field";
import { exchanged, split, trimmed } from "./provider-keys";
import { SaveBar, useSaving } from "./saving";
import { TestResult } from "./test-result";

type Props = {
  name: SectionName;
  title: string;
  note: ReactNode;
  /** What no provider is called where there may be none. */
  none?: string;
  config: Configuration;
  choices: Choices;
  /** What saving brings about, while there is something to save. */
  consequence?: ReactNode;
};

/** A section of `mem0`: its provider, what that takes, a real call to try it, and saving it. */
export function ProviderForm({ name, title, note, none, config, choices, consequence }: Props) {
  const of = (whole: Configuration) => trimmed(whole.mem0[name]);
  const saved = of(config);
  const draft = useDraft(saved);
  const [broken, setBroken] = useState<ReadonlySet<string>>(new Set());
  const testing = useTest(name);
  const saving = useSaving({
    draft,
    of,
    sent: (section) => ({ method: "PUT", sent: { mem0: { [name]: trimmed(section) } } }),
    told: `${title} saved`,
  });
  function change(section: Provided) {
    draft.set(trimmed(section));
    testing.reset();
  }
  function breaks(key: string, isBroken: boolean) {
    const next = new Set(broken);
    if (isBroken) next.add(key);
    else next.delete(key);
    setBroken(next);
  }
  const provider = choices.providers.find((one) => one.name === draft.value.provider);
  return (
    <Section title={title}>
      <p className="mb-4 max-w-prose text-muted-foreground">{note}</p>
      <div className="grid max-w-2xl gap-4">
        <Field label="Provider" hint={provider?.missing ?? undefined}>
          {(id) => (
            <NativeSelect
              id={id}
              className="w-full"
              value={draft.value.provider ?? ""}
              onChange={({ target }) => {
                setBroken(new Set());
                change(
                  exchanged(draft.value, saved, choices.providers.find((one) => one.name === target.value) ?? null),
                );
              }}
            >
              {choices.is_optional && <option value="">{none ?? "None"}</option>}
              {choices.providers.map((one) => (
                <option key={one.name} value={one.name}>
                  {one.name}
                  {one.missing ? " (not installed)" : ""}
                </option>
              ))}
            </NativeSelect>
          )}
        </Field>
        {provider && (
          <Keys
            key={provider.name}
            {...split(name, choices, provider, saved.provider === provider.name ? saved.config : {})}
            provider={provider.name}
            config={draft.value.config}
            onChange={(key, value) => change({ ...draft.value, config: { ...draft.value.config, [key]: value } })}
            onBroken={breaks}
          />
        )}
      </div>
      <div className="max-w-2xl">
        {draft.isDirty && consequence && (
          <p className="mt-4 rounded-md bg-accent-soft px-3 py-2 text-accent">{consequence}</p>
        )}
        <SaveBar draft={{ ...draft, discard: () => change(saved) }} saving={saving} isInvalid={broken.size > 0}>
          <Button
            disabled={testing.isPending || broken.size > 0 || draft.value.provider === null}
            onClick={() => testing.mutate(draft.value)}
          >
            <Zap /> Test
          </Button>
        </SaveBar>
        <div className="mt-3 min-h-10">
          <TestResult answer={testing.data} error={testing.error} isPending={testing.isPending} />
        </div>
      </div>
    </Section>
  );
}

type KeysProps = ReturnType<typeof split> & {
  provider: string;
  config: Provided["config"];
  onChange: (key: string, value: unknown) => void;
  onBroken: (key: string, isBroken: boolean) => void;
};

function Keys({ usual, more, provider, config, onChange, onBroken }: KeysProps) {
  const field = (key: KeysProps["usual"][number]) => (
    <KeyField
      key={key.name}
      provider={provider}
      of={key}
      value={config[key.name]}
      onChange={(value) => onChange(key.name, value)}
      onBroken={(isBroken) => onBroken(key.name, isBroken)}
    />
  );
  return (
    <>
      <div className="grid items-start gap-4 sm:grid-cols-2">{usual.map(field)}</div>
      {more.length > 0 && (
        <details className="rounded-md border">
          <summary className="px-3 py-2 text-muted-foreground">More that this provider takes ({more.length})</summary>
          <div className="grid items-start gap-4 border-t p-3 sm:grid-cols-2">{more.map(field)}</div>
        </details>
      )}
    </>
  );
}
