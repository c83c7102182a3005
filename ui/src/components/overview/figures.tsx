"use client";

import Link from "next/link";
import type { ReactNode } from "react";
import type { Schemas } from "@/api/client";
import { useApps } from "@/api/memories";
import { useIndex } from "@/api/overview";
import { grouped } from "@/format";
import { Badge } from "../ui/badge";
import { Skeleton } from "../ui/skeleton";

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

/** The categories with most memories, each by its share of the largest. */
export function Categories({ categories }: { categories: { name: string; count: number }[] }) {
  const most = Math.max(1, ...categories.map(({ count }) => count));
  if (categories.length === 0) return <p className="text-muted-foreground">No memory has a category yet.</p>;
  return (
    <ol className="grid gap-1">
      {categories.map(({ name, count }) => (
        <li key={name}>
          <Link
            href={`/memories/?categories=${encodeURIComponent(name)}`}
            className="relative flex justify-between gap-3 rounded-sm px-2 py-1 hover:text-accent"
          >
            <span
              aria-hidden
              className="absolute inset-y-0 left-0 rounded-sm bg-muted"
              style={{ width: `${(100 * count) / most}%` }}
            />
            <span className="relative min-w-0 break-words">{name}</span>
            <span className="tabular relative">{grouped(count)}</span>
          </Link>
        </li>
      ))}
    </ol>
  );
}
