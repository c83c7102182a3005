"use client";

import { useState } from "react";
import type { Key } from "@/api/config";
import { Button } from "../ui/button";
import { Field, Input, NativeSelect, Textarea } from "../ui/field";
import { isEmpty, label, parsed } from "./provider-keys";

const MASK = "****";
const REFERENCE = "env:";

type Props = {
  provider: string;
  of: Key;
  value: unknown;
  onChange: (value: unknown) => void;
  onBroken: (isBroken: boolean) => void;
};

/** A key of a provider's configuration, by what it holds. */
export function KeyField({ provider, of, value, onChange, onBroken }: Props) {
  if (of.is_secret && of.kind === "text")
    return (
      <SecretField name={of.name} example={`${provider.toUpperCase()}_API_KEY`} value={value} onChange={onChange} />
    );
  if (of.kind === "other") return <OtherField of={of} value={value} onChange={onChange} onBroken={onBroken} />;
  return (
    <Field label={label(of.name)} hint={of.is_address ? <AddressHint value={value} /> : undefined}>
      {(id) => <PlainControl id={id} of={of} value={value} onChange={onChange} />}
    </Field>
  );
}

function PlainControl({ id, of, value, onChange }: Pick<Props, "of" | "value" | "onChange"> & { id: string }) {
  if (of.kind === "switch") {
    return (
      <NativeSelect
        id={id}
        className="w-full"
        value={isEmpty(value) ? "" : String(value)}
        onChange={({ target }) => onChange(target.value === "" ? null : target.value === "true")}
      >
        <option value="">As the provider has it</option>
        <option value="true">Yes</option>
        <option value="false">No</option>
      </NativeSelect>
    );
  }
  if (of.kind === "number" || of.kind === "whole") {
    return (
      <Input
        id={id}
        type="number"
        inputMode="decimal"
        step={of.kind === "whole" ? 1 : "any"}
        value={isEmpty(value) ? "" : Number(value)}
        onChange={({ target }) => onChange(target.value === "" ? null : Number(target.value))}
      />
    );
  }
  return (
    <Input
      id={id}
      value={String(value ?? "")}
      spellCheck={false}
      autoComplete="off"
      placeholder={
        of.name.endsWith("url") ? "https://…" : of.name === "model" ? "The provider’s own choice" : undefined
      }
      onChange={({ target }) => onChange(target.value)}
    />
  );
}

function AddressHint({ value }: { value: unknown }) {
  if (isEmpty(value)) return null;
  return (
    <>
      One that is not on the public internet has to be in <code className="font-mono">ALLOWED_PROVIDER_HOSTS</code> of
      the server's environment.
    </>
  );
}

type SecretProps = { name: string; example: string; value: unknown; onChange: (value: unknown) => void };

/** A secret: what is kept is shown masked and never comes back; it is replaced as a whole. */
export function SecretField({ name, example, value, onChange }: SecretProps) {
  const text = String(value ?? "");
  const [kept] = useState(text);
  const isMasked = text.startsWith(MASK);
  const isReference = text.startsWith(REFERENCE);
  return (
    <Field
      label={label(name)}
      hint={
        isReference ? (
          "Read from the server’s environment whenever it is used; never stored."
        ) : isMasked ? (
          "Kept by the server, and shown to nobody."
        ) : (
          <>
            Shown never again. <code className="font-mono">env:{name === "api_key" ? example : "NAME"}</code> has it
            read from the server's environment.
          </>
        )
      }
    >
      {(id) =>
        isMasked ? (
          <div className="flex gap-2">
            <Input id={id} value={text} readOnly className="font-mono" />
            <Button onClick={() => onChange("")}>Replace</Button>
          </div>
        ) : (
          <div className="flex gap-2">
            <Input
              id={id}
              type={isReference || text === "" || REFERENCE.startsWith(text) ? "text" : "password"}
              value={text}
              spellCheck={false}
              autoComplete="off"
              data-1p-ignore
              onChange={({ target }) => onChange(target.value)}
            />
            {kept.startsWith(MASK) && <Button onClick={() => onChange(kept)}>Keep the old one</Button>}
          </div>
        )
      }
    </Field>
  );
}

function OtherField({ of, value, onChange, onBroken }: Omit<Props, "provider">) {
  const [text, setText] = useState(
    isEmpty(value) ? "" : typeof value === "string" ? value : JSON.stringify(value, null, 2),
  );
  const isBroken = parsed(text) === undefined;
  return (
    <Field label={label(of.name)} hint="A text, or JSON." error={isBroken ? "This is no JSON yet." : undefined}>
      {(id) => (
        <Textarea
          id={id}
          value={text}
          rows={2}
          spellCheck={false}
          aria-invalid={isBroken}
          className="min-h-16 font-mono text-[0.8125rem]"
          onChange={({ target }) => {
            const found = parsed(target.value);
            setText(target.value);
            onBroken(found === undefined);
            if (found !== undefined) onChange(found === "" ? null : found);
          }}
        />
      )}
    </Field>
  );
}
