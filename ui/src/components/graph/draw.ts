/** Draws a picture on a canvas: links, nodes by the shape and colour of their kind, names where there is room. */

import type { Join, Kind, Model, Node } from "./model";

export type View = { x: number; y: number; k: number };
export type Palette = Record<Kind | "background" | "foreground" | "faint" | "line" | "ring" | "font", string>;

export type Scene = {
  model: Model;
  points: Float32Array;
  view: View;
  width: number;
  height: number;
  palette: Palette;
  /** What the pointer or the keys are at; it and its neighbours stand out. */
  hovered: number | null;
  selected: number | null;
  /** While it finds its shape names and the longest lines are left out: drawing them takes longer than the rest. */
  isMoving: boolean;
  /** What was looked for; empty where nothing was. */
  found: ReadonlySet<number>;
};

const FADED = 0.13;
const MOST_NAMES = 48;
const LONGEST = 28; // characters of a name that is drawn
const MEMORY_NAMES_FROM = 2.2; // so large must the picture be for memories to have their text beside them
const MOST_RINGS = 60; // more of them hide what they mark
const EDGES_FROM = 0.9; // from where dots that overlap are told apart by an edge
const LINK_ALPHA: Record<Join, number> = { entity: 0.55, category: 0.28, app: 0.16, similar: 0.8, successor: 0.9 };

/** The colours of the theme in use, and the page's font. */
export function palette(of: Element): Palette {
  const style = getComputedStyle(of);
  const colour = (name: string) => style.getPropertyValue(`--${name}`).trim();
  return {
    memory: colour("node-memory"),
    entity: colour("node-entity"),
    category: colour("node-category"),
    app: colour("node-app"),
    background: colour("raised"),
    foreground: colour("foreground"),
    faint: colour("muted-foreground"),
    line: colour("input"),
    ring: colour("ring"),
    font: getComputedStyle(document.body).fontFamily,
  };
}

/** The view in which all nodes are seen. */
export function fitting(points: Float32Array, width: number, height: number): View {
  if (points.length === 0 || width === 0) return { x: width / 2, y: height / 2, k: 1 };
  let [left, right, top, bottom] = [Infinity, -Infinity, Infinity, -Infinity];
  for (let n = 0; n < points.length; n += 2) {
    const [x, y] = [points[n] as number, points[n + 1] as number];
    [left, right] = [Math.min(left, x), Math.max(right, x)];
    [top, bottom] = [Math.min(top, y), Math.max(bottom, y)];
  }
  const margin = 36;
  const across = Math.max(width - 2 * margin, 1) / Math.max(right - left, 1);
  const down = Math.max(height - 2 * margin, 1) / Math.max(bottom - top, 1);
  const k = Math.min(across, down, 2);
  return { k, x: width / 2 - (k * (left + right)) / 2, y: height / 2 - (k * (top + bottom)) / 2 };
}

/** The node at a place of the canvas; the one that is drawn last wins. */
export function nodeAt({ model, points, view }: Pick<Scene, "model" | "points" | "view">, x: number, y: number) {
  const [px, py] = [(x - view.x) / view.k, (y - view.y) / view.k];
  const slack = 5 / view.k;
  let best: number | null = null;
  let least = Infinity;
  for (const [place, { radius }] of model.nodes.entries()) {
    const gap = Math.hypot((points[2 * place] ?? 0) - px, (points[2 * place + 1] ?? 0) - py) - radius;
    if (gap <= slack && gap <= least) [best, least] = [place, gap];
  }
  return best;
}

/** What stands out: the hovered or selected node with its neighbours, else what was found; null: everything. */
function lit({ model, hovered, selected, found }: Scene): ReadonlySet<number> | null {
  const at = hovered ?? selected;
  if (at !== null) return new Set([at, ...(model.beside[at] ?? [])]);
  return found.size > 0 ? found : null;
}

export function draw(canvas: CanvasRenderingContext2D, scene: Scene, scale: number): void {
  const { view, width, height } = scene;
  const out = lit(scene);
  canvas.setTransform(scale, 0, 0, scale, 0, 0);
  canvas.clearRect(0, 0, width, height);
  canvas.setTransform(scale * view.k, 0, 0, scale * view.k, scale * view.x, scale * view.y);
  drawLinks(canvas, scene, out);
  drawNodes(canvas, scene, out);
  canvas.setTransform(scale, 0, 0, scale, 0, 0);
  if (!scene.isMoving) drawNames(canvas, scene, out);
}

function drawLinks(canvas: CanvasRenderingContext2D, scene: Scene, out: ReadonlySet<number> | null): void {
  const { model, points, view, palette: colours, hovered, selected } = scene;
  const at = hovered ?? selected;
  const many = Math.min(1, 900 / Math.max(model.links.length, 1)) ** 0.4; // many lines are each fainter
  for (const join of Object.keys(LINK_ALPHA) as Join[]) {
    if (scene.isMoving && (join === "app" || join === "category")) continue;
    for (const isLit of [false, true]) {
      canvas.beginPath();
      for (const link of model.links) {
        if (link.join !== join || (at !== null && (link.source === at || link.target === at)) !== isLit) continue;
        canvas.moveTo(points[2 * link.source] ?? 0, points[2 * link.source + 1] ?? 0);
        canvas.lineTo(points[2 * link.target] ?? 0, points[2 * link.target + 1] ?? 0);
      }
      canvas.globalAlpha = isLit ? 0.9 : LINK_ALPHA[join] * many * (out ? 0.3 : 1);
      canvas.strokeStyle = isLit ? colours.ring : colours.line;
      canvas.lineWidth = (isLit ? 1.4 : 0.9) / view.k ** 0.7;
      canvas.setLineDash(join === "successor" ? [4 / view.k, 3 / view.k] : []);
      canvas.stroke();
    }
  }
  canvas.setLineDash([]);
  canvas.globalAlpha = 1;
}

function drawNodes(canvas: CanvasRenderingContext2D, scene: Scene, out: ReadonlySet<number> | null): void {
  const { model, points, palette: colours, view, selected, hovered, found } = scene;
  for (const [place, node] of model.nodes.entries()) {
    const [x, y] = [points[2 * place] ?? 0, points[2 * place + 1] ?? 0];
    const isPaused = node.memory !== undefined && node.memory.state !== "active";
    canvas.globalAlpha = out && !out.has(place) ? FADED : 1;
    canvas.beginPath();
    shape(canvas, node, x, y, Math.max(node.radius, 1.6 / view.k));
    canvas.fillStyle = isPaused ? colours.background : colours[node.kind];
    canvas.fill();
    if (isPaused) stroke(canvas, colours[node.kind], 1.2 / view.k ** 0.5);
    else if (node.kind !== "memory" || view.k > EDGES_FROM) stroke(canvas, colours.background, 0.8);
    if (place === selected || place === hovered || (selected === null && found.size < MOST_RINGS && found.has(place))) {
      canvas.beginPath();
      canvas.arc(x, y, node.radius + 4 / view.k, 0, 2 * Math.PI);
      stroke(canvas, place === selected || place === hovered ? colours.foreground : colours.ring, 2 / view.k);
    }
  }
  canvas.globalAlpha = 1;
}

function stroke(canvas: CanvasRenderingContext2D, colour: string, width: number): void {
  canvas.strokeStyle = colour;
  canvas.lineWidth = width;
  canvas.stroke();
}

/** A circle, a diamond, a square, a hexagon: kinds can be told without colours. */
function shape(canvas: CanvasRenderingContext2D, { kind }: Node, x: number, y: number, radius: number): void {
  if (kind === "memory") {
    canvas.arc(x, y, radius, 0, 2 * Math.PI);
    return;
  }
  const { corners, turn } = { entity: DIAMOND, category: SQUARE, app: HEXAGON }[kind];
  for (let n = 0; n < corners; n++) {
    const angle = turn + (2 * Math.PI * n) / corners;
    canvas.lineTo(x + 1.15 * radius * Math.cos(angle), y + 1.15 * radius * Math.sin(angle));
  }
  canvas.closePath();
}

const DIAMOND = { corners: 4, turn: 0 };
const SQUARE = { corners: 4, turn: Math.PI / 4 };
const HEXAGON = { corners: 6, turn: 0 };

type Box = [left: number, top: number, right: number, bottom: number];

function drawNames(canvas: CanvasRenderingContext2D, scene: Scene, out: ReadonlySet<number> | null): void {
  const { model, points, view, width, height, palette: colours } = scene;
  canvas.font = `500 12px ${colours.font}`;
  canvas.textBaseline = "middle";
  canvas.lineJoin = "round";
  const taken: Box[] = [];
  for (const place of inOrder(scene, out)) {
    if (taken.length >= MOST_NAMES) break;
    const node = model.nodes[place] as Node;
    const x = view.x + view.k * (points[2 * place] ?? 0) + view.k * node.radius * 1.15 + 4;
    const y = view.y + view.k * (points[2 * place + 1] ?? 0);
    if (x < 0 || y < 0 || x > width || y > height) continue;
    const name = node.label.length > LONGEST ? `${node.label.slice(0, LONGEST - 1).trimEnd()}…` : node.label;
    const box: Box = [x - 2, y - 8, x + canvas.measureText(name).width + 2, y + 8];
    if (taken.some((other) => box[0] < other[2] && other[0] < box[2] && box[1] < other[3] && other[1] < box[3]))
      continue;
    taken.push(box);
    canvas.strokeStyle = colours.background;
    canvas.lineWidth = 3.5;
    canvas.strokeText(name, x, y);
    canvas.fillStyle = node.kind === "memory" ? colours.faint : colours.foreground;
    canvas.fillText(name, x, y);
  }
}

/** Whose name is drawn first: what stands out, then what joins most; memories only from near or when they stand out. */
function inOrder({ model, view, hovered, selected }: Scene, out: ReadonlySet<number> | null): number[] {
  const weight = (place: number) => {
    const node = model.nodes[place] as Node;
    return (place === (hovered ?? selected) ? 1e6 : 0) + (node.kind === "memory" ? node.count / 1000 : node.count);
  };
  const isNamed = (place: number) =>
    model.nodes[place]?.kind !== "memory" || view.k > MEMORY_NAMES_FROM || (out !== null && out.size <= 30);
  const candidates = out ? [...out] : model.nodes.map((_, place) => place);
  return candidates.filter(isNamed).sort((one, other) => weight(other) - weight(one));
}
