/** Which keys of a provider's configuration are asked for at once, which on demand, and which are another's. */

import type { Choices, Key, Provided, ProviderChoice, SectionName, Values } from "@/api/config";

const USUAL = ["model", "api_key", "temperature", "max_tokens", "embedding_dims"];
const FIRST = ["model", "api_key"];
const KEPT = ["temperature", "max_tokens"]; // which mean the same to every provider
const MANY = 8; // as many are all asked for at once

export type Split = { usual: Key[]; more: Key[] };

const stem = (name: string) => name.split("_")[0] ?? name;

/** The keys as a form shows them. What is set is always shown. */
export function split(name: SectionName, choices: Choices, provider: ProviderChoice, config: Values): Split {
  const others = choices.providers.map((one) => stem(one.name)).filter((one) => one !== stem(provider.name));
  const words = provider.name.split("_");
  const isOwn = (key: Key) => words.some((word) => word.startsWith(stem(key.name)));
  const isForeign = (key: Key) => !isOwn(key) && others.some((other) => other.startsWith(stem(key.name)));
  const isSet = (key: Key) => !isEmpty(config[key.name]);
  const keys = provider.keys.filter((key) => isSet(key) || (isTaken(name, provider, key) && !isForeign(key)));
  const all = name === "vector_store" && keys.length <= MANY;
  const isUsual = (key: Key) => all || isSet(key) || USUAL.includes(key.name) || (key.is_address && isOwn(key));
  const rank = (key: Key) => (key.is_address ? (all ? 0 : 2) : FIRST.includes(key.name) ? 1 : 3);
  const usual = keys.filter(isUsual).sort((one, other) => rank(one) - rank(other));
  return { usual, more: keys.filter((key) => !isUsual(key)) };
}

// mem0 has one list of keys for all embedders; the one in this process looks at the model alone.
function isTaken(name: SectionName, provider: ProviderChoice, key: Key): boolean {
  return name !== "embedder" || provider.name !== "local" || key.name === "model";
}

export const isEmpty = (value: unknown) => value === null || value === undefined || value === "";

/** A section without what says nothing: two that mean the same are the same then. */
export function trimmed({ provider, config }: Provided): Provided {
  return { provider, config: Object.fromEntries(Object.entries(config).filter(([, value]) => !isEmpty(value))) };
}

/** The section for another provider: nothing of the one before goes along, its key least of all. */
export function exchanged(section: Provided, saved: Provided, provider: ProviderChoice | null): Provided {
  if (provider?.name === saved.provider || (provider === null && saved.provider === null)) return saved;
  const taken = new Set(provider?.keys.map(({ name }) => name));
  const kept = KEPT.filter((key) => taken.has(key) && !isEmpty(section.config[key]));
  return {
    provider: provider?.name ?? null,
    config: Object.fromEntries(kept.map((key) => [key, section.config[key]])),
  };
}

const WORDS: Record<string, string> = { api: "API", url: "URL", aws: "AWS", ca: "CA", id: "ID", ssl: "SSL" };

/** `openai_base_url` as a label: "Openai base URL". */
export function label(key: string): string {
  const words = key.split("_").map((word) => WORDS[word] ?? word);
  const [first = "", ...rest] = words;
  return [first.charAt(0).toUpperCase() + first.slice(1), ...rest].join(" ");
}

/** What a text means where a key may be an object, a list or a text; undefined if it means nothing. */
export function parsed(text: string): unknown {
  const trimmed = text.trim();
  if (!/^[[{]/.test(trimmed)) return trimmed;
  try {
    return JSON.parse(trimmed);
  } catch {
    return undefined;
  }
}
