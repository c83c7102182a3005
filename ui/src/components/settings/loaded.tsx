"use client";

import type { ReactNode } from "react";
import { type ConfigSchema, type Configuration, useConfig, useConfigSchema } from "@/api/config";
import { Failure } from "../states";
import { Skeleton } from "../ui/skeleton";

type Loadable = { data?: unknown; error: Error | null; isError: boolean; refetch: () => unknown };

/** A skeleton until all is there; the first failure instead of it. */
export function Loaded({ of, lines = 6, children }: { of: Loadable[]; lines?: number; children: () => ReactNode }) {
  const failed = of.find(({ isError, data }) => isError && data === undefined);
  if (failed?.error) return <Failure error={failed.error} retry={() => of.map(({ refetch }) => refetch())} />;
  if (of.some(({ data }) => data === undefined)) {
    return (
      <div aria-busy className="grid max-w-2xl gap-3">
        <Skeleton className="h-6 w-40" />
        {Array.from({ length: lines }, (_, n) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
          <Skeleton key={n} className="h-9" />
        ))}
      </div>
    );
  }
  return children();
}

/** The configuration and its schema, as soon as both are there. */
export function WithConfig({ children }: { children: (config: Configuration, schema: ConfigSchema) => ReactNode }) {
  const [config, schema] = [useConfig(), useConfigSchema()];
  return (
    <Loaded of={[config, schema]}>{() => config.data && schema.data && children(config.data, schema.data)}</Loaded>
  );
}
