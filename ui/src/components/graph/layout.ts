"use client";

import { useEffect, useRef, useState } from "react";
import type { Progress, Task } from "./layout.worker";
import type { Model } from "./model";

export type Layout = {
  /** Where the nodes lie, x and y in turns; null until something can be shown. */
  points: Float32Array | null;
  state: "moving" | "settled" | "failed";
};

/** Where the nodes of a model lie, as far as that is known: it changes until it has settled.
 *
 * What was there before begins where it lay. With `isStill` (reduced motion) nothing is told on the way. It begins when
 * the place has a size.
 */
export function useLayout(model: Model, isStill: boolean, size: { width: number; height: number }): Layout {
  const known = useRef(new Map<string, [number, number]>());
  const [layout, setLayout] = useState<Layout & { model: Model }>({ points: null, state: "moving", model });
  const aspect = useRef(1);
  const isSized = size.width > 0 && size.height > 0;
  if (isSized) aspect.current = size.width / size.height;
  useEffect(() => {
    if (!isSized) return;
    let worker: Worker;
    try {
      worker = new Worker(new URL("./layout.worker.ts", import.meta.url), { type: "module" });
    } catch {
      setLayout({ points: null, state: "failed", model });
      return;
    }
    worker.onerror = () => setLayout({ points: null, state: "failed", model });
    worker.onmessage = ({ data }: MessageEvent<Progress>) => {
      if (!data.isDone && isStill) return;
      known.current = new Map(
        model.nodes.map(({ id }, place) => [id, [data.points[2 * place] ?? 0, data.points[2 * place + 1] ?? 0]]),
      );
      setLayout({ points: data.points, state: data.isDone ? "settled" : "moving", model });
      if (data.isDone) worker.terminate();
    };
    const before = new Float32Array(model.nodes.flatMap(({ id }) => known.current.get(id) ?? [Number.NaN, Number.NaN]));
    const radii = new Float32Array(model.nodes.map(({ radius }) => radius));
    worker.postMessage({ radii, links: model.links, before, aspect: aspect.current } satisfies Task);
    return () => worker.terminate();
  }, [model, isStill, isSized]);
  // A layout of the model before this one has other places.
  return layout.model === model ? layout : { points: null, state: "moving" };
}
