"use client";

import { Waypoints, X } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { useCallback, useMemo, useRef, useState } from "react";
import { type GraphAnswer, useGraph } from "@/api/graph";
import { EVERYTHING, useGraphAddress } from "@/components/graph/address";
import { GraphList } from "@/components/graph/list";
import { build, type Kind, matches } from "@/components/graph/model";
import { Panel } from "@/components/graph/panel";
import { Legend, Toolbar } from "@/components/graph/toolbar";
import { PageHeader } from "@/components/page-header";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Failure, Notice } from "@/components/states";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { brief, counted, grouped } from "@/format";

// The picture and what moves it come after the page.
const Picture = dynamic(() => import("@/components/graph/picture"), {
  ssr: false,
  loading: () => <Skeleton className="h-full w-full" />,
});
const NOTHING: GraphAnswer = {
  memories: [],
  entities: [],
  categories: [],
  apps: [],
  similar: [],
  centre: null,
  total: 0,
};
const NOTHING_HIDDEN: Kind[] = [];

export default function Graph() {
  const { address, wanted, change, clear, isNarrowed } = useGraphAddress();
  const graph = useGraph(wanted);
  const answer = graph.data ?? NOTHING;
  const isList = address.view === "list";
  const hidden = isList ? NOTHING_HIDDEN : address.hide;
  const model = useMemo(() => build(answer, hidden), [answer, hidden]);
  const found = useMemo(() => matches(model, address.q), [model, address.q]);
  const [chosen, setChosen] = useState<string | null>(null);
  const selected = chosen === null ? null : (model.at.get(chosen) ?? null);
  const searchRef = useRef<HTMLInputElement>(null);
  const toList = useCallback(() => change({ view: "list" }), [change]);

  const select = (place: number | null) => setChosen(place === null ? null : (model.nodes[place]?.id ?? null));
  function around(id: string) {
    setChosen(id || null);
    change({ around: id, q: "" });
  }
  function anywhere() {
    setChosen(null);
    change({ ...EVERYTHING, around: `entity:${address.q.trim()}`, q: "" });
  }
  function next() {
    const places = [...found];
    select(places[(places.indexOf(selected ?? -1) + 1) % Math.max(places.length, 1)] ?? null);
  }
  useShortcuts({
    "/": (event) => {
      event.preventDefault();
      searchRef.current?.focus();
    },
  });

  return (
    <>
      <PageHeader title="Graph" note={graph.data ? <Note answer={graph.data} around={wanted.around} /> : "\u00a0"} />
      <Toolbar
        address={address}
        change={change}
        clear={clear}
        isNarrowed={isNarrowed}
        found={found.size}
        searchRef={searchRef}
        onNext={next}
      />
      {wanted.around !== "" && <Around id={wanted.around} answer={answer} onEnd={() => around("")} />}
      {address.q.trim() !== "" && found.size === 0 && graph.isSuccess && (
        <p className="mb-3 flex min-h-8 flex-wrap items-center gap-x-2">
          Nothing here has these words.
          <Button variant="link" size="inline" onClick={anywhere}>
            Look among all memories
          </Button>
        </p>
      )}
      <Legend answer={graph.data} address={address} change={change} />
      <div aria-busy={graph.isFetching} className={graph.isPlaceholderData ? "opacity-60 transition-opacity" : ""}>
        {graph.isError ? (
          <Failure error={graph.error} retry={() => void graph.refetch()} />
        ) : graph.isPending ? (
          <Skeleton className="h-[calc(100dvh-17rem)] min-h-80 w-full" />
        ) : answer.memories.length === 0 ? (
          <Empty isNarrowed={isNarrowed || wanted.around !== ""} />
        ) : isList ? (
          <GraphList model={model} found={found} isSearching={address.q.trim() !== ""} />
        ) : (
          <div className="grid gap-4 lg:h-[calc(100dvh-17rem)] lg:min-h-96 lg:auto-cols-[20rem] lg:grid-flow-col lg:grid-cols-[minmax(0,1fr)]">
            <div className="h-[60dvh] min-h-80 min-w-0 lg:h-full">
              <Picture model={model} found={found} selected={selected} onSelect={select} onFailure={toList} />
            </div>
            {selected !== null && (
              <Panel model={model} place={selected} around={wanted.around} onSelect={select} onAround={around} />
            )}
          </div>
        )}
      </div>
    </>
  );
}

function Note({ answer, around }: { answer: GraphAnswer; around: string }) {
  const { memories, total } = answer;
  if (memories.length >= total) return counted(total, "memory", "memories");
  const which = around.startsWith("memory:") ? "the nearest" : "the newest";
  return `${grouped(memories.length)} of ${counted(total, "memory", "memories")}, ${which}`;
}

function Around({ id, answer, onEnd }: { id: string; answer: GraphAnswer; onEnd: () => void }) {
  const [kind, name] = [id.slice(0, id.indexOf(":")), id.slice(id.indexOf(":") + 1)];
  const centre = answer.centre === null ? undefined : answer.memories[answer.centre]?.text;
  const app = answer.apps.find((one) => one.id === name)?.name;
  const label = (kind === "memory" ? centre : kind === "app" ? app : name) ?? `one ${kind}`;
  return (
    <p className="mb-3 flex min-h-8 items-center gap-2">
      <span className="min-w-0 truncate">
        What lies around <strong className="font-semibold">{brief(label)}</strong>
      </span>
      <Button variant="ghost" size="small" onClick={onEnd}>
        <X /> Everything
      </Button>
    </p>
  );
}

function Empty({ isNarrowed }: { isNarrowed: boolean }) {
  if (isNarrowed)
    return (
      <Notice icon={<Waypoints />} title="Nothing to draw">
        Fewer filters may leave something.
      </Notice>
    );
  return (
    <Notice
      icon={<Waypoints />}
      title="No memories yet"
      action={
        <Button asChild variant="primary">
          <Link href="/">Connect an agent</Link>
        </Button>
      }
    >
      When there are some, this shows what they speak of and how they hang together.
    </Notice>
  );
}
