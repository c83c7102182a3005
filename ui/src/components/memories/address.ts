"use client";

/** What the memories page shows is in its address: it can be kept, sent, and left and come back to. */

import { parseAsArrayOf, parseAsInteger, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import type { Wanted } from "@/api/memories";

export const SIZES = [20, 50, 100];
export const MODES = ["hybrid", "vector", "keyword", "text"] as const;
export const STATES = ["active", "paused", "archived"] as const;
export const SORTS = ["memory", "categories", "app_name", "created_at", "updated_at"] as const;

const names = parseAsArrayOf(parseAsString).withDefault([]);
const words = parseAsString.withDefault("");

const ADDRESS = {
  q: words,
  mode: parseAsStringLiteral(MODES).withDefault("hybrid"),
  apps: names,
  categories: names,
  tags: names,
  states: parseAsArrayOf(parseAsStringLiteral(STATES)).withDefault([]),
  type: words,
  agent: words,
  session: words,
  from: words,
  to: words,
  sort: parseAsStringLiteral(SORTS).withDefault("created_at"),
  dir: parseAsStringLiteral(["asc", "desc"] as const).withDefault("desc"),
  page: parseAsInteger.withDefault(1),
  size: parseAsInteger.withDefault(50),
};

export const NARROWED: (keyof Wanted)[] = [
  "apps",
  "categories",
  "tags",
  "states",
  "type",
  "agent",
  "session",
  "from",
  "to",
];

export function isNarrowed(wanted: Wanted): boolean {
  return NARROWED.some((name) => wanted[name].toString() !== "");
}

/** The address as what is wanted, and its change; whatever narrows the list begins at its first page again. */
export function useWanted() {
  const [address, setAddress] = useQueryStates(ADDRESS, { clearOnDefault: true });
  const wanted: Wanted = {
    ...address,
    page: Math.max(1, address.page),
    size: SIZES.includes(address.size) ? address.size : 50,
  };
  const change = (part: Partial<Wanted>) => void setAddress({ page: 1, ...part });
  const clear = () => void setAddress(Object.fromEntries([...NARROWED, "page"].map((name) => [name, null])));
  return { wanted, change, clear };
}
