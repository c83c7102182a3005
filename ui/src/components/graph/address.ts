"use client";

/** What the graph page shows is in its address. */

import { parseAsArrayOf, parseAsInteger, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useMemo } from "react";
import type { WantedGraph } from "@/api/graph";
import { STATES } from "../memories/address";
import { KINDS } from "./model";

export const LIMITS = [200, 500, 1000, 1500];

const names = parseAsArrayOf(parseAsString).withDefault([]);
const words = parseAsString.withDefault("");

const ADDRESS = {
  apps: names,
  categories: names,
  states: parseAsArrayOf(parseAsStringLiteral(STATES)).withDefault([]),
  from: words,
  to: words,
  limit: parseAsInteger.withDefault(500),
  around: words,
  hide: parseAsArrayOf(parseAsStringLiteral(KINDS)).withDefault([]),
  view: parseAsStringLiteral(["picture", "list"] as const).withDefault("picture"),
  q: words,
};

/** No filters. */
export const EVERYTHING = { apps: [], categories: [], states: [], from: "", to: "" };

export type Address = ReturnType<typeof useGraphAddress>["address"];
export type Change = ReturnType<typeof useGraphAddress>["change"];

export function useGraphAddress() {
  const [address, setAddress] = useQueryStates(ADDRESS, { clearOnDefault: true });
  const { apps, categories, states, from, to, limit, around } = address;
  const wanted = useMemo<WantedGraph>(
    () => ({ apps, categories, states, from, to, limit: LIMITS.includes(limit) ? limit : 500, around }),
    [apps, categories, states, from, to, limit, around],
  );
  const change = (part: Partial<typeof address>) =>
    // What lies around something else is another picture: the browser's way back leads to the one before.
    void setAddress(part, { history: part.around === undefined ? "replace" : "push" });
  const isNarrowed = Boolean(apps.length || categories.length || states.length || from || to);
  const clear = () => change(EVERYTHING);
  return { address, wanted, change, clear, isNarrowed };
}
