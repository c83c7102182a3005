"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";
import { useApps } from "@/api/memories";
import { useIndex } from "@/api/overview";
import { grouped } from "@/format";
import { Failure } from "../states";
import { Badge } from "../ui/badge";
import { Skeleton } from "../ui/skeleton";
import { ByName } from "./by-name";

/** Counts by state, the apps, and how level the index is. */
export function Figures({ states }: { states: Record<string, number> | undefined }) {
  const apps = useApps();
  const shown = (state: string) => states && grouped(states[state] ?? 0);
  return (
    <dl className="grid grid-cols-2 border-y sm:grid-cols-3 lg:grid-cols-5">
      <Figure name="Active" value={shown("active")} href="/memories/?states=active" />
      <Figure name="Paused" value={shown("paused")} href="/memories/?states=paused" />
      <Figure name="Archived" value={shown("archived")} href="/memories/?states=archived" />
      <Figure name="Apps" value={apps.data && grouped(apps.data.total)} href="/apps/" />
      <IndexFigure />
    </dl>
  );
}

function Figure({ name, value, href, note }: { name: string; value: ReactNode; href?: string; note?: ReactNode }) {
  const shown = <span className="tabular text-2xl font-semibold tracking-tight">{value}</span>;
  return (
    <div className="min-w-0 py-4 pr-4">
      <dt className="text-muted-foreground">{name}</dt>
      <dd className="min-h-8">
        {value === undefined ? (
          <Skeleton className="mt-1.5 h-6 w-16" />
        ) : href ? (
          <Link href={href} className="rounded-sm hover:text-accent">
            {shown}
          </Link>
        ) : (
          shown
        )}
        {note}
      </dd>
    </div>
  );
}

function IndexFigure() {
  const index = useIndex();
  const found = index.data;
  if (index.isError) return <Figure name="Index" value="?" note={<Badge tone="danger">{index.error.message}</Badge>} />;
  return (
    <Figure
      name="Search index"
      value={
        found && (
          <span title={`${found.indexed} of ${found.memories} active memories are in the index as they are now`}>
            <span className="text-base font-medium">
              SQL {grouped(found.memories)} / index {grouped(found.indexed)}
            </span>
          </span>
        )
      }
      note={found && <Freshness found={found} />}
    />
  );
}

function Freshness({ found }: { found: Schemas["IndexStatus"] }) {
  if (found.building) {
    return (
      <div className="mt-1">
        <progress
          className="h-1.5 w-full accent-(--accent)"
          value={found.building.percent}
          max={100}
          aria-label="New index"
        />
        <span className="text-xs text-muted-foreground">A new index: {found.building.percent} %</span>
      </div>
    );
  }
  if (found.status === "failed") return <Badge tone="danger">A new index could not be built</Badge>;
  const behind = found.memories - found.indexed;
  return behind > 0 ? (
    <Badge tone="warning" className="ml-2">
      {grouped(behind)} behind
    </Badge>
  ) : (
    <Badge tone="good" className="ml-2">
      level
    </Badge>
  );
}

const LISTED = 8; // apps; the others are on their page

/** The categories with most memories. */
export function Categories({ categories }: { categories: { name: string; count: number }[] | undefined }) {
  if (!categories) return <Skeleton className="h-64 w-full" />;
  const counts = categories.map(({ name, count }) => ({
    key: name,
    name,
    count,
    href: `/memories/?categories=${encodeURIComponent(name)}`,
  }));
  return <ByName counts={counts} empty="No memory has a category yet." />;
}

/** The apps that wrote most memories. */
export function Apps() {
  const apps = useApps();
  if (apps.isError) return <Failure error={apps.error} retry={() => void apps.refetch()} />;
  if (!apps.data) return <Skeleton className="h-40 w-full" />;
  const counts = apps.data.apps.slice(0, LISTED).map((app) => ({
    key: app.id,
    name: app.name,
    count: app.total_memories_created,
    href: `/app/?id=${app.id}`,
  }));
  return <ByName counts={counts} empty="No app has written a memory yet." />;
}
