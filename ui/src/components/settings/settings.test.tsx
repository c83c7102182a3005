import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test, vi } from "vitest";
import type { Choices, ConfigSchema, Key } from "@/api/config";
import { limits } from "@/api/config";
import { useDraft } from "./draft";
import { locate, problems } from "./json-problems";
import { KeyField, SecretField } from "./key-field";
import { fits } from "./knobs";
import { doubled, moved } from "./lists";
import { exchanged, label, parsed, split, trimmed } from "./provider-keys";
import { complaint } from "./retention-rules";
import { TestResult } from "./test-result";

const key = (name: string, more: Partial<Key> = {}): Key => ({
  name,
  kind: "text",
  is_secret: name.includes("key"),
  is_address: name.endsWith("_url"),
  ...more,
});
const KEYS = ["model", "api_key", "ollama_base_url", "openai_base_url", "aws_region", "http_client_proxies"].map(
  (name) => key(name),
);
const CHOICES: Choices = {
  is_optional: false,
  providers: ["local", "openai", "azure_openai", "ollama", "aws_bedrock"].map((name) => ({
    name,
    keys: KEYS,
    missing: null,
  })),
};

function names(provider: string, config = {}): string[][] {
  const found = CHOICES.providers.find(({ name }) => name === provider);
  if (!found) throw new Error(provider);
  const { usual, more } = split("embedder", CHOICES, found, config);
  return [usual, more].map((keys) => keys.map(({ name }) => name));
}

test("a provider is asked for its own keys and no other's, unless they are set", () => {
  expect(names("openai")).toEqual([["model", "api_key", "openai_base_url"], ["http_client_proxies"]]);
  expect(names("ollama")).toEqual([["model", "api_key", "ollama_base_url"], ["http_client_proxies"]]);
  expect(names("azure_openai")[0]).toContain("openai_base_url");
  expect(names("aws_bedrock")[1]).toContain("aws_region");
  expect(names("local")).toEqual([["model"], []]);
  expect(names("openai", { aws_region: "eu-west-1" })[0]).toContain("aws_region");
});

test("another provider gets nothing of the one before, and the saved one is found again", () => {
  const saved = { provider: "openai", config: { model: "m", api_key: "****1234", temperature: 0.1 } };
  const [ollama, openai] = ["ollama", "openai"].map((name) => ({ name, missing: null, keys: [key("temperature")] }));
  expect(exchanged(saved, saved, ollama ?? null)).toEqual({ provider: "ollama", config: { temperature: 0.1 } });
  expect(exchanged({ provider: "ollama", config: {} }, saved, openai ?? null)).toBe(saved);
  expect(exchanged(saved, saved, null)).toEqual({ provider: null, config: {} });
  expect(trimmed({ provider: "x", config: { a: "", b: null, c: 0, d: false } }).config).toEqual({ c: 0, d: false });
});

test("labels and values of keys", () => {
  expect(label("openai_base_url")).toBe("Openai base URL");
  expect(label("api_key")).toBe("API key");
  expect(parsed("http://proxy")).toBe("http://proxy");
  expect(parsed('{"a": 1}')).toEqual({ a: 1 });
  expect(parsed("{")).toBeUndefined();
});

test("a secret that is kept is replaced as a whole, and can be kept after all", async () => {
  function Held() {
    const [value, setValue] = useState<unknown>("****1234");
    return <SecretField name="api_key" example="X_API_KEY" value={value} onChange={setValue} />;
  }
  render(<Held />);
  const field = () => screen.getByLabelText<HTMLInputElement>("API key");
  expect(field().readOnly).toBe(true);
  await userEvent.click(screen.getByRole("button", { name: "Replace" }));
  await userEvent.type(field(), "sk-new");
  expect(field().type).toBe("password");
  await userEvent.clear(field());
  await userEvent.type(field(), "env:OPENAI_API_KEY");
  expect(field().type).toBe("text");
  expect(screen.getByText(/never stored/)).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "Keep the old one" }));
  expect(field().value).toBe("****1234");
});

test("an object is taken once it is JSON, and said to be none before", async () => {
  const [onChange, onBroken] = [vi.fn(), vi.fn()];
  render(
    <KeyField
      provider="x"
      of={key("azure_kwargs", { kind: "other" })}
      value={null}
      onChange={onChange}
      onBroken={onBroken}
    />,
  );
  await userEvent.type(screen.getByRole("textbox"), '{{"a": 1');
  expect(onBroken).toHaveBeenLastCalledWith(true);
  expect(screen.getByRole("alert").textContent).toContain("no JSON");
  await userEvent.type(screen.getByRole("textbox"), "}");
  expect(onBroken).toHaveBeenLastCalledWith(false);
  expect(onChange).toHaveBeenLastCalledWith({ a: 1 });
});

test("a test's answer is told, a failure in the server's words", () => {
  const answer = { ok: true, detail: "It answered", milliseconds: 1234.5, model: "m", dimensions: null, answer: "Hi" };
  const { rerender } = render(<TestResult answer={answer} error={null} isPending={false} />);
  expect(screen.getByRole("status").textContent).toContain("It answered in 1,235 ms.");
  expect(screen.getByText("“Hi”")).toBeTruthy();
  rerender(<TestResult answer={{ ...answer, ok: false, detail: "refused" }} error={null} isPending={false} />);
  expect(screen.getByText("refused")).toBeTruthy();
});

function Edited({ saved }: { saved: string }) {
  const draft = useDraft(saved);
  return (
    <>
      <input aria-label="text" value={draft.value} onChange={({ target }) => draft.set(target.value)} />
      <p>
        {draft.isDirty ? "dirty" : "clean"} {draft.isStale ? "stale" : "fresh"}
      </p>
      <button type="button" onClick={draft.keep}>
        keep
      </button>
      <button type="button" onClick={draft.discard}>
        discard
      </button>
    </>
  );
}

test("a draft follows what is saved until it is changed, and then says that it is stale", async () => {
  const { rerender } = render(<Edited saved="one" />);
  rerender(<Edited saved="two" />);
  const field = screen.getByLabelText<HTMLInputElement>("text");
  expect(field.value).toBe("two");
  await userEvent.type(field, "!");
  expect(screen.getByText("dirty fresh")).toBeTruthy();
  rerender(<Edited saved="three" />);
  expect(screen.getByText("dirty stale")).toBeTruthy();
  expect(field.value).toBe("two!");
  await userEvent.click(screen.getByRole("button", { name: "keep" }));
  expect(screen.getByText("dirty fresh")).toBeTruthy();
  await userEvent.click(screen.getByRole("button", { name: "discard" }));
  expect(screen.getByText("clean fresh")).toBeTruthy();
  expect(field.value).toBe("three");
});

test("lists", () => {
  expect(moved(["a", "b", "c"], 0, 1)).toEqual(["b", "a", "c"]);
  expect(moved(["a", "b", "c"], 0, -1)).toEqual(["a", "b", "c"]);
  expect([...doubled(["A", "b", "a "])]).toEqual(["a"]);
});

test("a rule that says nothing of when is no rule", () => {
  const days = { min: 1, max: 36_500, isWhole: true };
  expect(complaint({ name: "x", archive_after_days: 30 }, new Set(), days)).toBeUndefined();
  expect(complaint({ name: "x" }, new Set(), days)).toContain("age");
  expect(complaint({ name: "x", archive_after_days: 0 }, new Set(), days)).toContain("1 to 36,500");
  expect(complaint({ name: "X ", archive_after_days: 1 }, new Set(["x"]), days)).toContain("same name");
});

const SCHEMA = {
  type: "object",
  additionalProperties: false,
  required: ["openmemory"],
  properties: { openmemory: { $ref: "#/$defs/OpenMemory" } },
  $defs: {
    OpenMemory: {
      type: "object",
      additionalProperties: false,
      required: ["purge_after_days", "category_threshold"],
      properties: {
        purge_after_days: { anyOf: [{ type: "integer", minimum: 1, maximum: 9 }, { type: "null" }] },
        category_threshold: { type: "number", minimum: 0, maximum: 1 },
        list: { type: "array", items: { type: "string" } },
      },
    },
  },
};

function found(text: string): [number, string, string][] {
  return problems(text, SCHEMA).map(({ line, path, message }) => [line, path, message]);
}

test("what is wrong with a text is told with its line and path", () => {
  expect(found('{"openmemory": {"purge_after_days": null, "category_threshold": 1}}')).toEqual([]);
  expect(found('{"openmemory": {"purge_after_days": 3,\n"category_threshold": "high"}}')).toEqual([
    [2, "openmemory.category_threshold", "this has to be number, and is string"],
  ]);
  expect(found('{"openmemory": {\n"purge_after_days": 30, "category_threshold": 7}}').map(([, path]) => path)).toEqual([
    "openmemory.purge_after_days",
    "openmemory.category_threshold",
  ]);
  expect(found('{"openmemory": {"purge_after_days": 3, "category_threshold": 0,\n"surprise": 1}}')).toEqual([
    [2, "openmemory.surprise", "there is no such key"],
  ]);
  expect(found('{\n"openmemory": {"purge_after_days": 3}}')).toEqual([
    [2, "openmemory.category_threshold", '"category_threshold" is missing'],
  ]);
  const list = '{"openmemory": {"purge_after_days": 3, "category_threshold": 0, "list": ["a", {},\n 5]}}';
  expect(found(list).map(([line, path]) => [line, path])).toEqual([
    [1, "openmemory.list.1"],
    [2, "openmemory.list.2"],
  ]);
});

test("a text that is no JSON has one problem, where it stops being any", () => {
  const [problem, ...others] = problems('{"openmemory":\n {"a" 1}}', SCHEMA);
  expect(others).toEqual([]);
  expect(problem?.line).toBe(2);
  expect(problem?.message).toContain("no JSON");
  expect(problems("", SCHEMA)).toHaveLength(1);
});

test("the server's path is found in the text, as far as it is there", () => {
  const text = '{"openmemory": {\n"category_threshold": 1}}';
  expect(locate(text, "openmemory.category_threshold")?.line).toBe(2);
  expect(locate(text, "openmemory.nothing")?.path).toBe("openmemory");
  expect(locate(text, "elsewhere")).toBe(null);
});

test("limits come from the schema", () => {
  const schema = SCHEMA as unknown as ConfigSchema;
  expect(limits(schema, "OpenMemory", "purge_after_days")).toMatchObject({ min: 1, max: 9, isWhole: true });
  expect(fits(schema, "purge_after_days", 9)).toBe(true);
  expect(fits(schema, "purge_after_days", 2.5)).toBe(false);
  expect(fits(schema, "purge_after_days", null)).toBe(true);
  expect(fits(schema, "category_threshold", 1.1)).toBe(false);
});
