"use client";

import { select } from "d3-selection";
import { type ZoomBehavior, zoom, zoomIdentity } from "d3-zoom";
import { Maximize, Minus, Plus } from "lucide-react";
import { type KeyboardEvent, useCallback, useEffect, useId, useMemo, useRef, useState } from "react";
import { onTheme } from "../shell/theme";
import { Button } from "../ui/button";
import { draw, fitting, nodeAt, type Palette, palette, type View } from "./draw";
import { useLayout } from "./layout";
import { type Model, said, towards } from "./model";

type PictureProps = {
  model: Model;
  found: ReadonlySet<number>;
  selected: number | null;
  onSelect: (place: number | null) => void;
  /** What stands where there can be no picture: the list. */
  onFailure: () => void;
};

const STILL = "(prefers-reduced-motion: reduce)";
const STEP = 1.35;
const RANGE: [number, number] = [0.05, 8];

/** The picture itself: it can be moved, zoomed, pointed at, and walked through by the arrow keys. */
export default function Picture({ model, found, selected, onSelect, onFailure }: PictureProps) {
  const [isStill] = useState(() => matchMedia(STILL).matches);
  const canvas = useRef<HTMLCanvasElement>(null);
  const size = useSize(canvas);
  const { points, state } = useLayout(model, isStill, size);
  const colours = usePalette();
  const camera = useCamera(canvas, points, size);
  const [pointed, setPointed] = useState<number | null>(null);
  const [at, setAt] = useState<number | null>(null);
  const help = useId();
  const hovered = valid(pointed ?? at, model);

  useEffect(() => {
    if (state === "failed") onFailure();
  }, [state, onFailure]);
  // biome-ignore lint/correctness/useExhaustiveDependencies: places mean other nodes in another model
  useEffect(() => {
    setPointed(null);
    setAt(null);
  }, [model]);
  useEffect(() => {
    const context = canvas.current?.getContext("2d");
    if (!context || !points || !colours) return;
    const frame = requestAnimationFrame(() =>
      draw(
        context,
        {
          model,
          points,
          view: camera.view,
          ...size,
          palette: colours,
          hovered,
          selected,
          found,
          isMoving: state === "moving",
        },
        devicePixelRatio,
      ),
    );
    return () => cancelAnimationFrame(frame);
  }, [model, points, camera.view, size, colours, hovered, selected, found, state]);

  function press(event: KeyboardEvent) {
    if (!points || event.ctrlKey || event.metaKey || event.altKey) return;
    const keys: Record<string, () => void> = {
      "+": () => camera.scale(STEP),
      "=": () => camera.scale(STEP),
      "-": () => camera.scale(1 / STEP),
      "0": camera.fit,
      Enter: () => onSelect(valid(at, model)),
      Escape: () => {
        setAt(null);
        onSelect(null);
      },
    };
    if (event.key.startsWith("Arrow")) {
      const next = at === null ? largest(model) : towards(points, at, event.key);
      if (next !== undefined) {
        setAt(next);
        camera.show(points[2 * next] ?? 0, points[2 * next + 1] ?? 0);
      }
    } else if (keys[event.key]) keys[event.key]?.();
    else return;
    event.preventDefault();
    event.stopPropagation();
  }
  const pointer = (x: number, y: number) => (points ? nodeAt({ model, points, view: camera.view }, x, y) : null);
  const shown = hovered === null ? undefined : model.nodes[hovered];

  return (
    <div className="relative h-full min-h-80 overflow-hidden rounded-lg border bg-raised">
      <div
        role="application"
        aria-label="The graph"
        aria-describedby={help}
        // biome-ignore lint/a11y/noNoninteractiveTabindex: an application takes the focus
        tabIndex={0}
        className="h-full -outline-offset-2"
        onKeyDown={press}
        onFocus={(event) => event.currentTarget.matches(":focus-visible") && setAt(selected ?? largest(model) ?? null)}
        onBlur={() => setAt(null)}
      >
        <canvas
          ref={canvas}
          width={Math.round(size.width * devicePixelRatio)}
          height={Math.round(size.height * devicePixelRatio)}
          className="absolute inset-0 size-full touch-none"
          style={{ cursor: pointed === null ? "grab" : "pointer" }}
          data-state={state}
          onPointerMove={({ nativeEvent }) =>
            nativeEvent.buttons === 0 && setPointed(pointer(nativeEvent.offsetX, nativeEvent.offsetY))
          }
          onPointerLeave={() => setPointed(null)}
          onClick={({ nativeEvent }) => onSelect(pointer(nativeEvent.offsetX, nativeEvent.offsetY))}
        />
      </div>
      <p id={help} className="sr-only">
        Arrow keys go from node to node, Enter selects one, plus and minus zoom, 0 shows all, Escape leaves. The list
        has the same to read.
      </p>
      <p aria-live="polite" className="sr-only">
        {at !== null && model.nodes[at] ? said(model.nodes[at]) : ""}
      </p>
      {state === "moving" && (
        <p className="pointer-events-none absolute top-3 left-3 rounded-sm bg-raised/80 px-1.5 text-[0.8125rem] text-muted-foreground">
          Finding its shape…
        </p>
      )}
      {shown?.memory && points && hovered !== null && (
        <p
          aria-hidden
          className="pointer-events-none absolute z-10 line-clamp-5 w-64 rounded-md border bg-raised px-2.5 py-1.5 text-[0.8125rem] shadow-md"
          style={beside(camera.view, points[2 * hovered] ?? 0, points[2 * hovered + 1] ?? 0, size)}
        >
          {shown.label}
        </p>
      )}
      <div className="absolute right-3 bottom-3 flex flex-col gap-1.5">
        <Button size="icon-small" aria-label="Zoom in" onClick={() => camera.scale(STEP)}>
          <Plus />
        </Button>
        <Button size="icon-small" aria-label="Zoom out" onClick={() => camera.scale(1 / STEP)}>
          <Minus />
        </Button>
        <Button size="icon-small" aria-label="Show all" onClick={camera.fit}>
          <Maximize />
        </Button>
      </div>
    </div>
  );
}

type Size = { width: number; height: number };

function valid(place: number | null, model: Model): number | null {
  return place !== null && place < model.nodes.length ? place : null;
}

function largest(model: Model): number | undefined {
  let best: number | undefined;
  for (const [place, { radius }] of model.nodes.entries())
    if (best === undefined || radius > (model.nodes[best]?.radius ?? 0)) best = place;
  return best;
}

/** Where a text stands that belongs to a node: beside it, and inside of the picture. */
function beside(view: View, x: number, y: number, { width, height }: Size) {
  const [left, top] = [view.x + view.k * x, view.y + view.k * y];
  return {
    ...(left > width / 2 ? { right: width - left + 14 } : { left: left + 14 }),
    ...(top > height / 2 ? { bottom: height - top + 8 } : { top: top + 8 }),
  };
}

function useSize(of: { current: HTMLElement | null }): Size {
  const [size, setSize] = useState<Size>({ width: 0, height: 0 });
  useEffect(() => {
    const place = of.current?.parentElement;
    if (!place) return;
    const observer = new ResizeObserver(() => setSize({ width: place.clientWidth, height: place.clientHeight }));
    observer.observe(place);
    return () => observer.disconnect();
  }, [of]);
  return size;
}

function usePalette(): Palette | null {
  const [colours, setColours] = useState<Palette | null>(null);
  useEffect(() => {
    const look = () => setColours(palette(document.documentElement));
    look();
    const classes = new MutationObserver(look); // the system's change from day to night shows there, too
    classes.observe(document.documentElement, { attributeFilter: ["class"] });
    const stop = onTheme(look);
    return () => {
      classes.disconnect();
      stop();
    };
  }, []);
  return colours;
}

/** Which part of the picture is seen. All of it until somebody moves it, by pointer, wheel, fingers or keys. */
function useCamera(canvas: { current: HTMLCanvasElement | null }, points: Float32Array | null, size: Size) {
  const [view, setView] = useState<View>({ x: 0, y: 0, k: 1 });
  const isMoved = useRef(false);
  const behaviour = useMemo<ZoomBehavior<HTMLCanvasElement, unknown>>(() => zoom<HTMLCanvasElement, unknown>(), []);
  const put = useCallback(
    ({ x, y, k }: View) => {
      if (canvas.current) behaviour.transform(select(canvas.current), zoomIdentity.translate(x, y).scale(k));
    },
    [canvas, behaviour],
  );
  useEffect(() => {
    if (!canvas.current) return;
    behaviour.scaleExtent(RANGE).on("zoom", ({ transform, sourceEvent }) => {
      if (sourceEvent) isMoved.current = true;
      setView({ x: transform.x, y: transform.y, k: transform.k });
    });
    const selection = select(canvas.current);
    selection.call(behaviour);
    return () => {
      selection.on(".zoom", null);
    };
  }, [canvas, behaviour]);
  useEffect(() => {
    if (points && !isMoved.current) put(fitting(points, size.width, size.height));
  }, [points, size, put]);

  return {
    view,
    scale: (by: number) => {
      isMoved.current = true;
      if (canvas.current) behaviour.scaleBy(select(canvas.current), by);
    },
    fit: () => {
      isMoved.current = false;
      if (points) put(fitting(points, size.width, size.height));
    },
    /** Brings a place into the picture, if it is outside. */
    show: (x: number, y: number) => {
      const [left, top] = [view.x + view.k * x, view.y + view.k * y];
      if (left > 20 && top > 20 && left < size.width - 20 && top < size.height - 20) return;
      isMoved.current = true;
      put({ k: view.k, x: size.width / 2 - view.k * x, y: size.height / 2 - view.k * y });
    },
  };
}
