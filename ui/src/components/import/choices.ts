/** What a preview offers to be chosen, and what the button then says. */

import type { Chosen, Preview } from "@/api/imports";
import { counted } from "@/format";

export function usual(found: Preview): Chosen {
  return {
    app: found.app,
    format: "",
    mode: "skip",
    memories: true,
    conversations: found.conversations === 0 ? "skip" : found.has_model ? "learn" : "keep",
    conversationIds: null,
    tags: [],
    categories: [],
  };
}

/** "travel, work" as a list, without repetitions. */
export function named(text: string): string[] {
  const names = text.split(",").map((name) => name.trim());
  return [...new Set(names.filter((name) => name !== ""))].slice(0, 20);
}

/** How many memories and conversations the choice would bring in. */
export function amount(found: Preview, chosen: Chosen): { memories: number; conversations: number } {
  const fresh = found.memories - (chosen.mode === "overwrite" ? 0 : found.duplicates);
  const talks = chosen.conversationIds?.length ?? found.conversations;
  return {
    memories: chosen.memories ? fresh : 0,
    conversations: chosen.conversations === "skip" ? 0 : talks,
  };
}

/** "Import 1,204 memories and 3 conversations"; null if nothing is left to be imported. */
export function promise(found: Preview, chosen: Chosen): string | null {
  const { memories, conversations } = amount(found, chosen);
  const parts = [
    memories > 0 && counted(memories, "memory", "memories"),
    conversations > 0 && counted(conversations, "conversation"),
  ].filter((part) => part !== false);
  return parts.length > 0 ? `Import ${parts.join(" and ")}` : null;
}
