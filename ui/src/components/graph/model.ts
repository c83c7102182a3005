/** The server's answer as nodes and links: what of it is drawn, how large, what is beside what. Pure. */

import type { GraphAnswer } from "@/api/graph";

export const KINDS = ["memory", "entity", "category", "app"] as const;
export type Kind = (typeof KINDS)[number];
export type Join = "entity" | "category" | "app" | "similar" | "successor";

export type Node = {
  /** As the server takes it for `around`: `entity:Maria`. */
  id: string;
  kind: Kind;
  /** Its name; of a memory the beginning of its text. */
  label: string;
  /** How many memories it joins; of a memory how much it is joined to. */
  count: number;
  radius: number;
  /** Of a memory. */
  memory?: GraphAnswer["memories"][number];
  /** Of an app. */
  appId?: string;
};

export type Link = { source: number; target: number; join: Join };

export type Model = { nodes: Node[]; links: Link[]; beside: number[][]; at: Map<string, number> };

export const KIND_NAMES: Record<Kind, [one: string, many: string]> = {
  memory: ["memory", "memories"],
  entity: ["entity", "entities"],
  category: ["category", "categories"],
  app: ["app", "apps"],
};

const MEMORY_RADIUS = 3.5;
const CENTRE_RADIUS = 9;
const LARGEST = 20;

function radius(count: number): number {
  return Math.min(LARGEST, 4 + 1.5 * Math.sqrt(count));
}

/** The picture without the kinds that are hidden; a memory stays when its links go. */
export function build(answer: GraphAnswer, hidden: readonly Kind[]): Model {
  const nodes: Node[] = [];
  const links: Link[] = [];
  const isShown = (kind: Kind) => !hidden.includes(kind);
  const first = { memory: 0, entity: 0, category: 0, app: 0 };

  if (isShown("memory")) {
    for (const [place, memory] of answer.memories.entries()) {
      const size = place === answer.centre ? CENTRE_RADIUS : MEMORY_RADIUS;
      nodes.push({ id: `memory:${memory.id}`, kind: "memory", label: memory.text, count: 0, radius: size, memory });
    }
  }
  const named = { entity: answer.entities, category: answer.categories };
  for (const kind of ["entity", "category"] as const) {
    first[kind] = nodes.length;
    if (!isShown(kind)) continue;
    for (const { name, count } of named[kind]) {
      nodes.push({ id: `${kind}:${name}`, kind, label: name, count, radius: radius(count) });
    }
  }
  first.app = nodes.length;
  if (isShown("app")) {
    for (const { id, name, count } of answer.apps) {
      nodes.push({ id: `app:${id}`, kind: "app", label: name, count, radius: radius(count), appId: id });
    }
  }
  if (isShown("memory")) join(answer, first, isShown, links);
  else bridge(answer, first, isShown, links);
  const beside = neighbours(nodes.length, links);
  for (const [place, node] of nodes.entries()) if (node.kind === "memory") node.count = beside[place]?.length ?? 0;
  return { nodes, links, beside, at: new Map(nodes.map(({ id }, place) => [id, place])) };
}

type First = Record<Kind, number>;

function join(answer: GraphAnswer, first: First, isShown: (kind: Kind) => boolean, links: Link[]): void {
  for (const [source, memory] of answer.memories.entries()) {
    if (isShown("entity"))
      for (const place of memory.entities) links.push({ source, target: first.entity + place, join: "entity" });
    if (isShown("category"))
      for (const place of memory.categories) links.push({ source, target: first.category + place, join: "category" });
    if (isShown("app")) links.push({ source, target: first.app + memory.app, join: "app" });
    if (memory.superseded_by !== null) links.push({ source, target: memory.superseded_by, join: "successor" });
  }
  for (const { one, other } of answer.similar) links.push({ source: one, target: other, join: "similar" });
}

const LEAST_SHARED = 2; // memories that two things share, for a line between them where no memories are drawn

/** Where memories are hidden, what they join is joined directly. */
function bridge(answer: GraphAnswer, first: First, isShown: (kind: Kind) => boolean, links: Link[]): void {
  const shared = new Map<string, Link & { count: number }>();
  for (const memory of answer.memories) {
    const ends = [
      ...(isShown("entity") ? memory.entities.map((place) => first.entity + place) : []),
      ...(isShown("category") ? memory.categories.map((place) => first.category + place) : []),
      ...(isShown("app") ? [first.app + memory.app] : []),
    ];
    for (const [n, source] of ends.entries()) {
      for (const target of ends.slice(n + 1)) {
        const key = `${source} ${target}`;
        const link = shared.get(key) ?? { source, target, join: kindAt(first, target), count: 0 };
        link.count += 1;
        shared.set(key, link);
      }
    }
  }
  for (const { source, target, join: kind, count } of shared.values())
    if (count >= LEAST_SHARED) links.push({ source, target, join: kind });
}

function kindAt(first: First, place: number): Join {
  if (place >= first.app) return "app";
  return place >= first.category ? "category" : "entity";
}

function neighbours(count: number, links: Link[]): number[][] {
  const found = Array.from({ length: count }, () => new Set<number>());
  for (const { source, target } of links) {
    found[source]?.add(target);
    found[target]?.add(source);
  }
  return found.map((places) => [...places]);
}

/** The nodes whose name or text has these words, in an order to go through; none where nothing is looked for. */
export function matches(model: Model, text: string): Set<number> {
  const wanted = text.trim().toLowerCase();
  const found = new Set<number>();
  if (wanted === "") return found;
  const places = [...model.nodes.keys()].filter((place) => model.nodes[place]?.label.toLowerCase().includes(wanted));
  const rank = ({ kind, count }: Node) => (kind === "memory" ? 0 : 1 + count); // what joins most first, texts last
  places.sort((one, other) => rank(model.nodes[other] as Node) - rank(model.nodes[one] as Node));
  for (const place of places) found.add(place);
  return found;
}

export type Point = { x: number; y: number };

/** The nearest node in the direction of an arrow key, within 45 degrees of it; undefined at the edge. */
export function towards(points: ArrayLike<number>, from: number, key: string): number | undefined {
  const [x, y] = [points[2 * from] ?? 0, points[2 * from + 1] ?? 0];
  let best: number | undefined;
  let least = Number.POSITIVE_INFINITY;
  for (let place = 0; place < points.length / 2; place++) {
    const [dx, dy] = [(points[2 * place] ?? 0) - x, (points[2 * place + 1] ?? 0) - y];
    const [along, across] = AXES[key]?.(dx, dy) ?? [0, 0];
    const far = along + 2 * Math.abs(across);
    if (place === from || along <= 0 || Math.abs(across) > along || far >= least) continue;
    [best, least] = [place, far];
  }
  return best;
}

const AXES: Record<string, (dx: number, dy: number) => [along: number, across: number]> = {
  ArrowRight: (dx, dy) => [dx, dy],
  ArrowLeft: (dx, dy) => [-dx, dy],
  ArrowDown: (dx, dy) => [dy, dx],
  ArrowUp: (dx, dy) => [-dy, dx],
};

/** What is read out of a node: "entity Maria, joins 12 memories". */
export function said({ kind, label, count }: Node): string {
  const what = kind === "memory" ? `joined to ${count}` : `joins ${count} ${count === 1 ? "memory" : "memories"}`;
  return `${KIND_NAMES[kind][0]} ${label.slice(0, 120)}, ${what}`;
}
