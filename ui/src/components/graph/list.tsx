"use client";

import { ChevronRight } from "lucide-react";
import Link from "next/link";
import { useMemo, useState } from "react";
import { counted, grouped } from "@/format";
import { Section } from "../page-header";
import { KIND_NAMES, type Kind, type Model } from "./model";
import { address } from "./panel";
import { Swatch } from "./swatch";

const MOST = 60; // of a kind, until more are asked for
const GROUPS: Kind[] = ["entity", "category", "app"];

/** The same as the picture has, to be read: each thing with the memories that it joins, then those that nothing joins. */
export function GraphList({ model, found, isSearching }: { model: Model; found: Set<number>; isSearching: boolean }) {
  const of = useMemo(() => {
    const shown = (kind: Kind) =>
      [...model.nodes.keys()].filter(
        (place) => model.nodes[place]?.kind === kind && (!isSearching || found.has(place)),
      );
    return { entity: shown("entity"), category: shown("category"), app: shown("app"), memory: shown("memory") };
  }, [model, found, isSearching]);
  const alone = isSearching ? of.memory : of.memory.filter((place) => !isJoined(model, place));
  return (
    <div className="grid gap-8">
      {GROUPS.map((kind) => (
        <Things key={kind} model={model} kind={kind} places={of[kind]} />
      ))}
      {alone.length > 0 && (
        <Section title={isSearching ? "Memories" : "Memories that share nothing with another"}>
          <MemoryLinks model={model} places={alone} />
        </Section>
      )}
      {isSearching && found.size === 0 && <p className="text-muted-foreground">Nothing here has these words.</p>}
    </div>
  );
}

function isJoined(model: Model, place: number): boolean {
  return (model.beside[place] ?? []).some((other) => model.nodes[other]?.kind !== "app");
}

function Things({ model, kind, places }: { model: Model; kind: Kind; places: number[] }) {
  const [most, setMost] = useState(MOST);
  const name = KIND_NAMES[kind][1];
  if (places.length === 0) return null;
  return (
    <Section title={name.charAt(0).toUpperCase() + name.slice(1)}>
      <ul className="border-t">
        {places.slice(0, most).map((place) => (
          <li key={model.nodes[place]?.id} className="border-b">
            <Thing model={model} place={place} />
          </li>
        ))}
      </ul>
      <More count={places.length - most} onMore={() => setMost(most + 200)} />
    </Section>
  );
}

function Thing({ model, place }: { model: Model; place: number }) {
  const [isOpen, setOpen] = useState(false);
  const node = model.nodes[place];
  if (!node) return null;
  const memories = (model.beside[place] ?? []).filter((other) => model.nodes[other]?.kind === "memory");
  return (
    <details onToggle={(event) => setOpen(event.currentTarget.open)} className="group">
      <summary className="flex items-center gap-2 py-1.5 [&::-webkit-details-marker]:hidden">
        <ChevronRight className="size-4 shrink-0 text-muted-foreground group-open:rotate-90" aria-hidden />
        <Swatch kind={node.kind} />
        <span className="min-w-0 font-medium break-words">{node.label}</span>
        <span className="tabular ml-auto shrink-0 text-muted-foreground">
          {counted(node.count, "memory", "memories")}
        </span>
      </summary>
      {isOpen && (
        <div className="mb-3 ml-6">
          <MemoryLinks model={model} places={memories} />
          <Link href={address(node)} className="text-accent underline-offset-4 hover:underline">
            All of them in the list of memories
          </Link>
        </div>
      )}
    </details>
  );
}

function MemoryLinks({ model, places }: { model: Model; places: number[] }) {
  const [most, setMost] = useState(MOST);
  return (
    <>
      <ul className="mb-1">
        {places.slice(0, most).map((place) => {
          const node = model.nodes[place];
          return (
            node && (
              <li key={node.id}>
                <Link href={address(node)} className="line-clamp-2 py-1 break-words hover:underline">
                  {node.label}
                </Link>
              </li>
            )
          );
        })}
      </ul>
      <More count={places.length - most} onMore={() => setMost(most + 200)} />
    </>
  );
}

function More({ count, onMore }: { count: number; onMore: () => void }) {
  if (count <= 0) return null;
  return (
    <button type="button" className="my-2 rounded-sm text-accent hover:underline" onClick={onMore}>
      {grouped(count)} more
    </button>
  );
}
