"use client";

import { AppWindow } from "lucide-react";
import Link from "next/link";
import { parseAsInteger, parseAsString, parseAsStringLiteral, useQueryStates } from "nuqs";
import { APPS_A_PAGE, type App, useAppPage, useSetActive } from "@/api/apps";
import { useMayWrite } from "@/api/session";
import { PageHeader } from "@/components/page-header";
import { Pager } from "@/components/pager";
import { Failure, Notice } from "@/components/states";
import { Time } from "@/components/time";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Input, NativeSelect } from "@/components/ui/field";
import { Skeleton } from "@/components/ui/skeleton";
import { counted, grouped } from "@/format";

const SORTS = {
  name: "Name",
  memories: "Most memories",
  memories_accessed: "Most read",
  last_accessed: "Last read",
  created_at: "Newest",
} as const;
type Sort = keyof typeof SORTS;

const ADDRESS = {
  name: parseAsString.withDefault(""),
  status: parseAsStringLiteral(["all", "active", "paused"] as const).withDefault("all"),
  sort: parseAsStringLiteral(Object.keys(SORTS) as Sort[]).withDefault("memories"),
  page: parseAsInteger.withDefault(1),
};

export default function Apps() {
  const [wanted, setWanted] = useQueryStates(ADDRESS);
  const apps = useAppPage(wanted);
  const change = (part: Partial<typeof wanted>) => void setWanted({ page: 1, ...part });
  return (
    <>
      <PageHeader
        title="Apps"
        note={apps.data ? `${counted(apps.data.total, "app")} that write or read memories` : "\u00a0"}
      />
      <search className="mb-4 flex flex-wrap gap-2">
        <Input
          type="search"
          aria-label="Find apps by name"
          placeholder="Find by name"
          className="h-8 sm:w-64"
          value={wanted.name}
          onChange={(event) => change({ name: event.target.value })}
        />
        <NativeSelect
          aria-label="Status"
          className="h-8"
          value={wanted.status}
          onChange={(event) => change({ status: event.target.value as typeof wanted.status })}
        >
          <option value="all">Active and paused</option>
          <option value="active">Active</option>
          <option value="paused">Paused</option>
        </NativeSelect>
        <NativeSelect
          aria-label="Order"
          className="h-8"
          value={wanted.sort}
          onChange={(event) => change({ sort: event.target.value as Sort })}
        >
          {Object.entries(SORTS).map(([sort, name]) => (
            <option key={sort} value={sort}>
              {name}
            </option>
          ))}
        </NativeSelect>
      </search>
      {apps.isError && <Failure error={apps.error} retry={() => void apps.refetch()} />}
      {apps.isPending && <Loading />}
      {apps.data?.apps.length === 0 && (
        <Notice icon={<AppWindow />} title={wanted.name || wanted.status !== "all" ? "No app matches" : "No apps yet"}>
          An app is here from the first memory that it writes or reads.
        </Notice>
      )}
      <ul className="grid grid-cols-[repeat(auto-fill,minmax(min(20rem,100%),1fr))] gap-3">
        {apps.data?.apps.map((app) => (
          <AppCard key={app.id} app={app} />
        ))}
      </ul>
      {apps.data && apps.data.total > APPS_A_PAGE && (
        <Pager page={wanted.page} size={APPS_A_PAGE} total={apps.data.total} onPage={(page) => change({ page })} />
      )}
    </>
  );
}

function AppCard({ app }: { app: App }) {
  const setActive = useSetActive();
  const mayWrite = useMayWrite();
  return (
    <li className="flex flex-col gap-3 rounded-lg border bg-raised p-4">
      <div className="flex items-start justify-between gap-2">
        <Link
          href={`/app/?id=${app.id}`}
          prefetch={false}
          className="min-w-0 font-semibold break-words hover:text-accent"
        >
          {app.name}
        </Link>
        <Badge tone={app.is_active ? "good" : "warning"}>{app.is_active ? "active" : "paused"}</Badge>
      </div>
      <dl className="grid grid-cols-2 gap-2">
        <Figure name="Wrote" value={grouped(app.total_memories_created)} />
        <Figure name="Was shown" value={grouped(app.total_memories_accessed)} />
        <Figure name="First read" value={app.first_accessed ? <Time at={app.first_accessed} /> : "never"} />
        <Figure name="Last read" value={app.last_accessed ? <Time at={app.last_accessed} /> : "never"} />
      </dl>
      {mayWrite && (
        <Button
          size="small"
          className="self-start"
          aria-label={`${app.is_active ? "Pause" : "Resume"} ${app.name}`}
          onClick={() => setActive.mutate({ id: app.id, isActive: !app.is_active })}
        >
          {app.is_active ? "Pause" : "Resume"}
        </Button>
      )}
    </li>
  );
}

function Figure({ name, value }: { name: string; value: React.ReactNode }) {
  return (
    <div>
      <dt className="text-xs text-muted-foreground">{name}</dt>
      <dd className="tabular">{value}</dd>
    </div>
  );
}

function Loading() {
  return (
    <div className="grid grid-cols-[repeat(auto-fill,minmax(min(20rem,100%),1fr))] gap-3" aria-busy="true">
      {["a", "b", "c", "d"].map((key) => (
        <Skeleton key={key} className="h-[202px] rounded-lg" />
      ))}
    </div>
  );
}
