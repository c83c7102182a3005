"use client";

import { SearchCode, SearchX } from "lucide-react";
import { parseAsBoolean, parseAsInteger, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { type FormEvent, useEffect, useRef, useState } from "react";
import type { Hit } from "@/api/memories";
import { useOwner } from "@/api/owner";
import { type Asked, useSearch } from "@/api/search";
import { Expandable } from "@/components/expandable";
import { PageHeader } from "@/components/page-header";
import { OnlyOf } from "@/components/search/only-of";
import { Parts } from "@/components/search/parts";
import { WhyNot } from "@/components/search/why-not";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Failure, Notice } from "@/components/states";
import { Time } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Field, Input, NativeSelect } from "@/components/ui/field";
import { Skeleton } from "@/components/ui/skeleton";
import { Switch } from "@/components/ui/switch";
import { counted } from "@/format";

const ADDRESS = {
  q: parseAsString.withDefault(""),
  mode: parseAsStringLiteral(["hybrid", "vector", "keyword"] as const).withDefault("hybrid"),
  limit: parseAsInteger.withDefault(10),
  threshold: parseAsInteger.withDefault(0),
  app: parseAsString.withDefault(""),
  rerank: parseAsBoolean.withDefault(false),
};

export default function SearchLab() {
  const [asked, setAsked] = useQueryStates(ADDRESS);
  const search = useSearch(asked);
  const { isEverybody, writesFor } = useOwner();
  return (
    <>
      <PageHeader
        title="Search lab"
        note="What a query finds, what each score is made of, and what keeps others out."
      />
      <Knobs asked={asked} change={(part) => void setAsked(part)} />
      <div className="mt-6 grid gap-x-12 gap-y-8 lg:grid-cols-[minmax(0,1fr)_20rem]">
        <div aria-busy={search.isFetching}>
          {search.isError ? (
            <Failure error={search.error} retry={() => void search.refetch()} />
          ) : asked.q.trim() === "" ? (
            <Notice icon={<SearchCode />} title="Ask something">
              As an agent would: “Which pet does Ann have?”
            </Notice>
          ) : search.isPending ? (
            <Skeleton className="h-96 w-full" />
          ) : (
            <>
              <p role="status" className="mb-1 text-muted-foreground">
                {counted(search.data.total, "hit")} in {search.data.ms} ms, {search.data.mode}
                {isEverybody && `, among the memories of ${writesFor}`}
                {search.data.warning && <span className="text-warning"> · {search.data.warning}</span>}
              </p>
              {search.data.results.length === 0 && (
                <Notice icon={<SearchX />} title="Nothing is found">
                  {isEverybody && <OnlyOf name={writesFor} />}
                </Notice>
              )}
              <ol>
                {search.data.results.map((hit, index) => (
                  <HitItem key={hit.id} hit={hit} place={index + 1} />
                ))}
              </ol>
            </>
          )}
        </div>
        <aside aria-label="Why not">
          <WhyNot asked={asked} />
        </aside>
      </div>
    </>
  );
}

function Knobs({ asked, change }: { asked: Asked; change: (part: Partial<Asked>) => void }) {
  const [text, setText] = useState(asked.q);
  const [app, setApp] = useState(asked.app);
  const box = useRef<HTMLInputElement>(null);
  useEffect(() => setText(asked.q), [asked.q]);
  useShortcuts({
    "/": (event) => {
      event.preventDefault();
      box.current?.focus();
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    change({ q: text, app: app.trim() });
  }
  return (
    <form onSubmit={submit} className="grid gap-3" role="search">
      <div className="flex gap-2">
        <Input
          ref={box}
          type="search"
          aria-label="Query"
          placeholder="A question"
          maxLength={10_000}
          value={text}
          onChange={(event) => setText(event.target.value)}
        />
        <Button type="submit" variant="primary">
          Search
        </Button>
      </div>
      <div className="grid grid-cols-2 items-end gap-3 sm:flex sm:flex-wrap">
        <Field label="Mode">
          {(id) => (
            <NativeSelect
              id={id}
              className="max-sm:w-full"
              value={asked.mode}
              onChange={(event) => change({ mode: event.target.value as Asked["mode"] })}
            >
              <option value="hybrid">Meaning and words</option>
              <option value="vector">Meaning</option>
              <option value="keyword">Words</option>
            </NativeSelect>
          )}
        </Field>
        <Field label="Most hits">
          {(id) => (
            <NativeSelect
              id={id}
              className="max-sm:w-full"
              value={asked.limit}
              onChange={(event) => change({ limit: Number(event.target.value) })}
            >
              {[5, 10, 20, 50, 100].map((limit) => (
                <option key={limit}>{limit}</option>
              ))}
            </NativeSelect>
          )}
        </Field>
        <Field label="Least score, %">
          {(id) => (
            <Input
              id={id}
              type="number"
              min={0}
              max={100}
              className="sm:w-28"
              value={asked.threshold}
              onChange={(event) => change({ threshold: Math.min(100, Math.max(0, Number(event.target.value))) })}
            />
          )}
        </Field>
        <Field label="As the app">
          {(id) => (
            <Input
              id={id}
              className="sm:w-40"
              placeholder="none: as yourself"
              value={app}
              maxLength={255}
              onChange={(event) => setApp(event.target.value)}
              onBlur={() => change({ app: app.trim() })}
            />
          )}
        </Field>
        <div className="flex h-9 items-center gap-2">
          <Switch id="rerank" checked={asked.rerank} onCheckedChange={(rerank) => change({ rerank })} />
          <label htmlFor="rerank">Rerank</label>
        </div>
      </div>
    </form>
  );
}

function HitItem({ hit, place }: { hit: Hit; place: number }) {
  return (
    <li className="grid grid-cols-[1.75rem_minmax(0,1fr)] border-b py-3.5">
      <span className="tabular text-muted-foreground">{place}</span>
      <div className="min-w-0">
        <Expandable text={hit.content} href={`/memory/?id=${hit.id}`} />
        <p className="mt-1 flex flex-wrap items-center gap-x-2.5 gap-y-1 text-xs text-muted-foreground">
          <span className="tabular">
            score <strong className="font-semibold text-foreground">{hit.score.toFixed(3)}</strong>
          </span>
          <span className="tabular">confidence {hit.confidence} %</span>
          {typeof hit.rerank_score === "number" && (
            <span className="tabular">reranker {hit.rerank_score.toFixed(3)}</span>
          )}
          <span>{hit.app_name}</span>
          <Time at={hit.created_at} />
          {hit.categories.map((name) => (
            <Badge key={name}>{name}</Badge>
          ))}
        </p>
        {hit.explanation && (
          <details className="mt-1.5" open={place === 1}>
            <summary className="w-fit rounded-sm text-[0.8125rem] text-accent">What the score is made of</summary>
            <div className="mt-1.5 max-w-lg">
              <Parts parts={hit.explanation} />
            </div>
          </details>
        )}
      </div>
    </li>
  );
}
