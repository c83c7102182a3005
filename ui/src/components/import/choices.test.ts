import { expect, test } from "vitest";
import type { Preview } from "@/api/imports";
import { named, promise, usual } from "./choices";

const FOUND: Preview = {
  format: "chatgpt",
  label: "ChatGPT export",
  app: "chatgpt",
  has_model: true,
  memories: 1_210,
  duplicates: 6,
  conversations: 3,
  messages: 40,
  unreadable: 0,
  apps: 0,
  categories: 0,
  items: [],
  talks: [],
  problems: [],
  warnings: [],
};

test("the button says what would come, without what is here already", () => {
  const chosen = usual(FOUND);
  expect(chosen.conversations).toBe("learn");
  expect(promise(FOUND, chosen)).toBe("Import 1,204 memories and 3 conversations");
  expect(promise(FOUND, { ...chosen, conversationIds: ["a"] })).toBe("Import 1,204 memories and 1 conversation");
  expect(promise(FOUND, { ...chosen, conversations: "skip" })).toBe("Import 1,204 memories");
  expect(promise(FOUND, { ...chosen, memories: false, conversationIds: [] })).toBeNull();
  expect(promise(FOUND, { ...chosen, conversations: "skip", mode: "overwrite" })).toBe("Import 1,210 memories");
});

test("without a model what was said is kept, and without conversations none are asked for", () => {
  expect(usual({ ...FOUND, has_model: false }).conversations).toBe("keep");
  expect(usual({ ...FOUND, conversations: 0 }).conversations).toBe("skip");
});

test("names are told apart by commas", () => {
  expect(named(" travel, work,, travel ,")).toEqual(["travel", "work"]);
  expect(named("")).toEqual([]);
});
