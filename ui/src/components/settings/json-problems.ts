/** What is wrong with a configuration written as JSON, and where in the text: as it is typed, by the server's schema. */

import { type OutputUnit, Validator } from "@cfworker/json-schema";
import { jsonLanguage } from "@codemirror/lang-json";
import type { SyntaxNode } from "@lezer/common";

/** `from` and `to` are characters of the text; `path` is dotted, empty for the whole. */
export type Problem = { from: number; to: number; line: number; column: number; path: string; message: string };

// What only says that something below it is wrong.
const FRAMES = new Set([
  "properties",
  "items",
  "$ref",
  "allOf",
  "anyOf",
  "if",
  "propertyNames",
  "additionalProperties",
]);
const NO_SUCH_KEY = "there is no such key";

/** The problems of a text, in its order. A text that is no JSON has one. */
export function problems(text: string, schema: unknown): Problem[] {
  let value: unknown;
  try {
    value = JSON.parse(text);
  } catch (error) {
    return [notJson(text, error as Error)];
  }
  const { errors } = new Validator(schema as ConstructorParameters<typeof Validator>[0], "2020-12", false).validate(
    value,
  );
  const found = errors.filter(({ keyword }) => !FRAMES.has(keyword)).map((one) => located(text, one));
  return single(found).sort((one, other) => one.from - other.from);
}

/** Where in the text a dotted path is, or as much of it as there is; for what the server says of its own. */
export function locate(text: string, path: string): Problem | null {
  const keys = path.split(".");
  const node = find(text, keys);
  return node && node.depth > 0 ? at(text, node, keys.slice(0, node.depth).join("."), "") : null;
}

function notJson(text: string, error: Error): Problem {
  let place = text.length;
  jsonLanguage.parser.parse(text).iterate({
    enter: ({ type, from }) => {
      if (type.isError) place = Math.min(place, from);
    },
  });
  const said = error.message.replace(/^JSON\.parse: /, "").replace(/ in JSON at position.*$| \(line.*$/s, "");
  return at(text, { from: place, to: Math.min(place + 1, text.length) }, "", `This is no JSON: ${said}`);
}

function located(text: string, { instanceLocation, keyword, error }: OutputUnit): Problem {
  const keys = instanceLocation.split("/").slice(1).map(unescaped);
  const missing = /required property "([^"]+)"/.exec(error)?.[1];
  const message = keyword === "false" ? NO_SUCH_KEY : missing ? `"${missing}" is missing` : plain(error);
  const path = [...keys, ...(missing ? [missing] : [])].join(".");
  return at(text, find(text, keys) ?? { from: 0, to: 0 }, path, message);
}

const unescaped = (key: string) => decodeURIComponent(key).replaceAll("~1", "/").replaceAll("~0", "~");

function plain(error: string): string {
  return error
    .replace(/^Instance type "(\w+)" is invalid\. Expected "([^"]+)"\.$/, "this has to be $2, and is $1")
    .replace(/^Instance /, "this ")
    .replace(/\.$/, "");
}

/** One problem a place. Where several things may be, that it is not null is what nobody meant. */
function single(found: Problem[]): Problem[] {
  const best = new Map<string, Problem>();
  for (const one of found) {
    const known = best.get(one.path);
    if (!known || known.message.includes("has to be null")) best.set(one.path, one);
  }
  return [...best.values()];
}

type Span = { from: number; to: number };

function at(text: string, { from, to }: Span, path: string, message: string): Problem {
  const before = text.slice(0, from).split("\n");
  return { from, to, line: before.length, column: (before.at(-1)?.length ?? 0) + 1, path, message };
}

/** The node of a path, or the deepest that there is on the way; `depth` says how many of the keys lead to it. */
function find(text: string, keys: string[]): (Span & { depth: number }) | null {
  let node: SyntaxNode | null = jsonLanguage.parser.parse(text).topNode.firstChild;
  let depth = 0;
  for (const key of keys) {
    const below: SyntaxNode | null = node && child(text, node, key);
    if (!below) break;
    node = below;
    depth += 1;
  }
  return node && { from: node.from, to: node.to, depth };
}

function child(text: string, node: SyntaxNode, key: string): SyntaxNode | null {
  if (node.name === "Array") {
    const items = node.getChildren("Array").concat(node.getChildren("Object"), others(node));
    return items.sort((one, other) => one.from - other.from)[Number(key)] ?? null;
  }
  for (const property of node.getChildren("Property")) {
    const name = property.firstChild;
    if (name && JSON.parse(text.slice(name.from, name.to)) === key) return property.lastChild;
  }
  return null;
}

function others(node: SyntaxNode): SyntaxNode[] {
  return ["String", "Number", "True", "False", "Null"].flatMap((name) => node.getChildren(name));
}
