"use client";

import { Waypoints, X } from "lucide-react";
import Link from "next/link";
import { useEffect, useRef } from "react";
import { useMemory } from "@/api/memory";
import { counted, grouped } from "@/format";
import { Expandable } from "../expandable";
import { StateBadge } from "../memories/state-badge";
import { Time } from "../time";
import { Button } from "../ui/button";
import { KIND_NAMES, KINDS, type Kind, type Model, type Node } from "./model";
import { Swatch } from "./swatch";

type PanelProps = {
  model: Model;
  place: number;
  around: string;
  onSelect: (place: number | null) => void;
  onAround: (id: string) => void;
};

/** What is known of the node that was selected, and what it is joined to. */
export function Panel({ model, place, around, onSelect, onAround }: PanelProps) {
  const node = model.nodes[place];
  const top = useRef<HTMLParagraphElement>(null);
  // On a phone it is below the picture, where it could come unseen.
  // biome-ignore lint/correctness/useExhaustiveDependencies: each time that another node is selected
  useEffect(() => {
    top.current?.scrollIntoView({ block: "nearest" });
  }, [node?.id]);
  if (!node) return null;
  return (
    <section
      aria-label="Selected"
      className="relative max-h-full min-w-0 overflow-y-auto rounded-lg border bg-raised p-4"
    >
      <p
        ref={top}
        className="flex min-h-8 scroll-mb-28 items-center gap-1.5 pr-8 text-[0.8125rem] text-muted-foreground"
      >
        <Swatch kind={node.kind} /> {title(KIND_NAMES[node.kind][0])}
      </p>
      <Button
        variant="ghost"
        size="icon-small"
        className="absolute top-3.5 right-3"
        aria-label="Close"
        onClick={() => onSelect(null)}
      >
        <X />
      </Button>
      {node.memory ? <MemoryText node={node} memory={node.memory} /> : <h2 className="break-words">{node.label}</h2>}
      <div className="mt-3 flex flex-wrap gap-2">
        <Button asChild size="small">
          <Link href={address(node)}>{node.memory ? "Open" : "List its memories"}</Link>
        </Button>
        {node.appId && (
          <Button asChild size="small">
            <Link href={`/app/?id=${node.appId}`}>Open the app</Link>
          </Button>
        )}
        {node.id !== around && (
          <Button size="small" onClick={() => onAround(node.id)}>
            <Waypoints /> What lies around it
          </Button>
        )}
      </div>
      <Neighbours model={model} place={place} onSelect={onSelect} />
    </section>
  );
}

function MemoryText({ node, memory }: { node: Node; memory: NonNullable<Node["memory"]> }) {
  const whole = useMemory(memory.id);
  return (
    <>
      <Expandable text={whole.data?.content ?? node.label} lines={6} />
      <p className="mt-1.5 flex flex-wrap items-center gap-x-2.5 gap-y-1 text-xs text-muted-foreground">
        <StateBadge state={memory.state} /> <Time at={memory.created_at} />
      </p>
    </>
  );
}

/** Where the dashboard has a node's own page, or the list of its memories. */
export function address({ kind, label, memory }: Node): string {
  if (memory) return `/memory/?id=${memory.id}`;
  const name = encodeURIComponent(label);
  if (kind === "category") return `/memories/?categories=${name}`;
  return kind === "app" ? `/memories/?apps=${name}` : `/memories/?q=${name}&mode=text`;
}

const MOST = 40;

function Neighbours({ model, place, onSelect }: Pick<PanelProps, "model" | "place" | "onSelect">) {
  const beside = model.beside[place] ?? [];
  const byKind = (kind: Kind) =>
    beside
      .filter((other) => model.nodes[other]?.kind === kind)
      .sort((one, other) => (model.nodes[other]?.count ?? 0) - (model.nodes[one]?.count ?? 0));
  if (beside.length === 0) return <p className="mt-4 text-muted-foreground">Nothing is joined to it here.</p>;
  return KINDS.map((kind) => {
    const places = byKind(kind);
    if (places.length === 0) return null;
    return (
      <div key={kind} className="mt-4">
        <h3 className="mb-1 text-[0.8125rem] font-medium text-muted-foreground">
          {counted(places.length, ...KIND_NAMES[kind])}
        </h3>
        <ul>
          {places.slice(0, MOST).map((other) => (
            <li key={model.nodes[other]?.id}>
              <button
                type="button"
                className="flex w-full items-baseline gap-2 rounded-sm px-1.5 py-1 text-left hover:bg-muted"
                onClick={() => onSelect(other)}
              >
                <span className="shrink-0">
                  <Swatch kind={kind} />
                </span>
                <span className="line-clamp-2 min-w-0 break-words">{model.nodes[other]?.label}</span>
              </button>
            </li>
          ))}
        </ul>
        {places.length > MOST && (
          <p className="px-1.5 text-[0.8125rem] text-muted-foreground">and {grouped(places.length - MOST)} more</p>
        )}
      </div>
    );
  });
}

function title(word: string): string {
  return word.charAt(0).toUpperCase() + word.slice(1);
}
