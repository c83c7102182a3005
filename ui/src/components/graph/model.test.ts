import { expect, test } from "vitest";
import type { GraphAnswer } from "@/api/graph";
import { build, type Kind, type Model, matches, said, towards } from "./model";

const MEMORY = { state: "active", created_at: "2026-05-08T10:00:00Z", superseded_by: null };
const ANSWER: GraphAnswer = {
  memories: [
    { ...MEMORY, id: "m0", text: "Maria moved to Lisbon", app: 0, categories: [0], entities: [0, 1] },
    {
      ...MEMORY,
      id: "m1",
      text: "Maria works from Lisbon",
      app: 1,
      categories: [],
      entities: [0, 1],
      superseded_by: 0,
    },
    { ...MEMORY, id: "m2", text: "Allergic to penicillin", app: 0, categories: [0], entities: [] },
  ],
  entities: [
    { name: "Maria", count: 2 },
    { name: "Lisbon", count: 2 },
  ],
  categories: [{ name: "health", count: 2 }],
  apps: [
    { id: "a0", name: "notes", count: 2 },
    { id: "a1", name: "cursor", count: 1 },
  ],
  similar: [{ one: 0, other: 1, cosine: 0.7 }],
  centre: null,
  total: 3,
};

const beside = (model: Model, id: string) =>
  (model.beside[model.at.get(id) ?? -1] ?? []).map((place) => model.nodes[place]?.id).sort();

test("places become nodes with their neighbours", () => {
  const model = build(ANSWER, []);
  expect(model.nodes).toHaveLength(8);
  expect(beside(model, "entity:Maria")).toEqual(["memory:m0", "memory:m1"]);
  expect(beside(model, "memory:m2")).toEqual(["app:a0", "category:health"]);
  expect(beside(model, "memory:m0")).toContain("memory:m1");
});

test.each<[Kind, number]>([
  ["entity", 6],
  ["category", 7],
  ["app", 6],
])("a hidden kind %s takes its links along", (kind, left) => {
  const model = build(ANSWER, [kind]);
  expect(model.nodes).toHaveLength(left);
  expect(model.nodes.some((node) => node.kind === kind)).toBe(false);
  for (const { source, target } of model.links) {
    expect(model.nodes[source]).toBeDefined();
    expect(model.nodes[target]).toBeDefined();
  }
  expect(beside(model, "memory:m2")).toEqual(["app:a0", "category:health"].filter((id) => !id.startsWith(`${kind}:`)));
});

test("without memories, what two of them share is joined directly", () => {
  const model = build(ANSWER, ["memory"]);
  expect(beside(model, "entity:Maria")).toEqual(["entity:Lisbon"]);
  expect(beside(model, "category:health")).toEqual(["app:a0"]);
});

test("what is looked for is found in names and texts, names first", () => {
  const model = build(ANSWER, []);
  expect([...matches(model, " LISBON ")].map((place) => model.nodes[place]?.id)).toEqual([
    "entity:Lisbon",
    "memory:m0",
    "memory:m1",
  ]);
  expect(matches(model, "  ").size).toBe(0);
});

test("arrow keys lead to what lies there, and nowhere beyond the edge", () => {
  const points = [0, 0, 10, 1, 40, 0, 0, 10];
  expect(towards(points, 0, "ArrowRight")).toBe(1);
  expect(towards(points, 0, "ArrowDown")).toBe(3);
  expect(towards(points, 0, "ArrowLeft")).toBeUndefined();
  expect(towards(points, 2, "ArrowLeft")).toBe(1);
});

test("a node is read out by kind, name and what it joins", () => {
  const model = build(ANSWER, []);
  const of = (id: string) => said(model.nodes[model.at.get(id) ?? -1] as never);
  expect(of("entity:Maria")).toBe("entity Maria, joins 2 memories");
  expect(of("app:a1")).toBe("app cursor, joins 1 memory");
});
