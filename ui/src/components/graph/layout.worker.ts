/** Where the nodes lie, worked out beside the page, which stays fluid meanwhile. Given the same it finds the same. */

import {
  forceCollide,
  forceLink,
  forceManyBody,
  forceSimulation,
  forceX,
  forceY,
  type SimulationNodeDatum,
} from "d3-force";
import type { Join } from "./model";

export type Task = {
  radii: Float32Array;
  links: { source: number; target: number; join: Join }[];
  /** Where they lay before, x and y in turns; NaN for what is new. */
  before: Float32Array;
  /** Width of the place over its height, which the picture is to fill. */
  aspect: number;
};
export type Progress = { points: Float32Array; isDone: boolean };

type Body = SimulationNodeDatum & { radius: number };

const POST_MS = 60; // between two pictures on the way; of more than 500 nodes, which take longer to draw, in proportion
const TICKS = 260;
const INWARD = 0.055;
const FAR = { entity: 34, category: 70, app: 110, similar: 40, successor: 24 };
// What joins many must not pull them all into one heap.
const PULL = { entity: 1, category: 0.25, app: 0.12, similar: 1, successor: 1 };

self.onmessage = ({ data }: MessageEvent<Task>) => {
  const nodes = Array.from(data.radii, (radius, place): Body => {
    const [x, y] = [data.before[2 * place] as number, data.before[2 * place + 1] as number];
    return Number.isNaN(x) ? { radius } : { radius, x, y };
  });
  const isKnown = nodes.some((node) => "x" in node);
  const degree = new Uint32Array(nodes.length);
  for (const { source, target } of data.links) {
    degree[source] = (degree[source] ?? 0) + 1;
    degree[target] = (degree[target] ?? 0) + 1;
  }
  const links = data.links.map(({ source, target, join }) => {
    const least = Math.min(degree[source] ?? 1, degree[target] ?? 1);
    return { source, target, far: FAR[join], pull: PULL[join] / least };
  });
  const simulation = forceSimulation(nodes)
    .alpha(isKnown ? 0.5 : 1)
    .alphaDecay(1 - 0.001 ** (1 / TICKS))
    .force(
      "link",
      forceLink(links)
        .distance(({ far }) => far)
        .strength(({ pull }) => pull),
    )
    .force(
      "charge",
      forceManyBody<Body>()
        .strength(({ radius }) => -12 - 5 * radius)
        .distanceMax(600),
    )
    .force("x", forceX(0).strength(INWARD / data.aspect ** 0.7))
    .force("y", forceY(0).strength(INWARD * data.aspect ** 0.7))
    .force(
      "collide",
      forceCollide<Body>(({ radius }) => radius + 2.5),
    )
    .stop();
  const pause = POST_MS * Math.max(1, nodes.length / 500);
  let posted = 0;
  function post(isDone: boolean): void {
    const points = new Float32Array(2 * nodes.length);
    for (const [place, { x, y }] of simulation.nodes().entries()) points.set([x ?? 0, y ?? 0], 2 * place);
    self.postMessage({ points, isDone } satisfies Progress, { transfer: [points.buffer] });
    posted = performance.now();
  }
  while (simulation.alpha() > simulation.alphaMin()) {
    simulation.tick();
    if (performance.now() - posted > pause) post(false);
  }
  post(true);
};
