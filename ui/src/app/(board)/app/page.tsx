"use client";

import { ArrowLeft, Pause, Play } from "lucide-react";
import Link from "next/link";
import { parseAsString, useQueryState } from "nuqs";
import { type ReactNode, useState } from "react";
import { useAccessed, useApp, useCreated, useSetActive } from "@/api/apps";
import { useMayWrite, useMe } from "@/api/session";
import { AppDays } from "@/components/app/app-days";
import { AppKeys } from "@/components/app/app-keys";
import { RuleCount, Rules } from "@/components/app/rules";
import { Expandable } from "@/components/expandable";
import { StateBadge } from "@/components/memories/state-badge";
import { PageHeader, Section } from "@/components/page-header";
import { Pager } from "@/components/pager";
import { Failure } from "@/components/states";
import { Time } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { counted, grouped } from "@/format";

export default function AppPage() {
  const [id] = useQueryState("id", parseAsString.withDefault(""));
  const app = useApp(id);
  const setActive = useSetActive();
  const mayWrite = useMayWrite();
  const isGovernor = useMe().app === null; // an app's own key is not told what is kept from it
  const one = app.data;
  return (
    <>
      <Link href="/apps/" className="mb-3 inline-flex items-center gap-1.5 text-muted-foreground hover:text-foreground">
        <ArrowLeft className="size-4" /> All apps
      </Link>
      {app.isError && <Failure error={app.error} retry={() => void app.refetch()} />}
      {app.isPending && <Skeleton className="h-40 w-full" />}
      {one && (
        <>
          <PageHeader
            title={<span className="break-words">{one.name}</span>}
            note={one.is_active ? "It may read and write." : "Paused: it reads nothing, and its writes are refused."}
            actions={
              mayWrite && (
                <Button onClick={() => setActive.mutate({ id, isActive: !one.is_active })}>
                  {one.is_active ? <Pause /> : <Play />} {one.is_active ? "Pause access" : "Resume access"}
                </Button>
              )
            }
          />
          <div className="grid gap-x-12 gap-y-8 lg:grid-cols-[minmax(0,1fr)_20rem]">
            <Tabs defaultValue="created">
              <TabsList aria-label="Memories of this app">
                <TabsTrigger value="created">Wrote {grouped(one.total_memories_created)}</TabsTrigger>
                <TabsTrigger value="accessed">Was shown {grouped(one.total_memories_accessed)}</TabsTrigger>
                {isGovernor && (
                  <TabsTrigger value="rules">
                    Access rules
                    <RuleCount appId={id} />
                  </TabsTrigger>
                )}
              </TabsList>
              <TabsContent value="created">
                <Created id={id} />
              </TabsContent>
              <TabsContent value="accessed">
                <Accessed id={id} />
              </TabsContent>
              {isGovernor && (
                <TabsContent value="rules">
                  <Rules app={one} />
                </TabsContent>
              )}
            </Tabs>
            <aside className="grid content-start gap-8" aria-label="About this app">
              <Section title="About">
                <dl className="grid grid-cols-[6rem_1fr] gap-y-1.5">
                  <dt className="text-muted-foreground">First read</dt>
                  <dd>{one.first_accessed ? <Time at={one.first_accessed} /> : "never"}</dd>
                  <dt className="text-muted-foreground">Last read</dt>
                  <dd>{one.last_accessed ? <Time at={one.last_accessed} /> : "never"}</dd>
                </dl>
              </Section>
              <AppDays id={id} />
              <AppKeys app={one} />
            </aside>
          </div>
        </>
      )}
    </>
  );
}

type Shown = { id: string; content: string; created_at: string; state: string; categories: string[] };

function Line({ memory, aside }: { memory: Shown; aside?: ReactNode }) {
  return (
    <li className="border-b py-2.5">
      <Expandable text={memory.content} href={`/memory/?id=${memory.id}`} />
      <p className="mt-1 flex flex-wrap items-center gap-x-2 gap-y-1 text-xs text-muted-foreground">
        {memory.state !== "active" && <StateBadge state={memory.state} />}
        {aside}
        <Time at={memory.created_at} />
        {memory.categories.map((name) => (
          <Badge key={name}>{name}</Badge>
        ))}
      </p>
    </li>
  );
}

function Created({ id }: { id: string }) {
  const [page, setPage] = useState(1);
  const created = useCreated(id, page);
  if (created.isError) return <Failure error={created.error} retry={() => void created.refetch()} />;
  if (created.isPending) return <Skeleton className="mt-3 h-64 w-full" />;
  if (created.data.total === 0) return <p className="py-6 text-muted-foreground">It has written nothing.</p>;
  return (
    <>
      <ul>
        {created.data.memories.map((memory) => (
          <Line key={memory.id} memory={memory} />
        ))}
      </ul>
      <Pager page={page} size={20} total={created.data.total} onPage={setPage} />
    </>
  );
}

function Accessed({ id }: { id: string }) {
  const [page, setPage] = useState(1);
  const accessed = useAccessed(id, page);
  if (accessed.isError) return <Failure error={accessed.error} retry={() => void accessed.refetch()} />;
  if (accessed.isPending) return <Skeleton className="mt-3 h-64 w-full" />;
  if (accessed.data.total === 0) return <p className="py-6 text-muted-foreground">It has been shown nothing.</p>;
  return (
    <>
      <ul>
        {accessed.data.memories.map(({ memory, access_count }) => (
          <Line
            key={memory.id}
            memory={memory}
            aside={<span className="font-medium text-foreground">{counted(access_count, "time")}</span>}
          />
        ))}
      </ul>
      <Pager page={page} size={20} total={accessed.data.total} onPage={setPage} />
    </>
  );
}
