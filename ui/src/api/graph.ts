"use client";

/** The picture: memories, and the entities, categories and apps that join them. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, body, type Schemas } from "./client";
import { bound, ids, type State, useApps, useCategories } from "./memories";
import { useOwner } from "./owner";

export type GraphAnswer = Schemas["GraphAnswer"];

/** What is asked for: the graph page keeps it in its address. `around` is a node's id: `entity:Maria`. */
export type WantedGraph = {
  apps: string[];
  categories: string[];
  states: State[];
  from: string;
  to: string;
  limit: number;
  around: string;
};

export function useGraph(wanted: WantedGraph) {
  const { owner } = useOwner();
  const apps = useApps();
  const categories = useCategories();
  const isNamed = wanted.apps.length > 0 || wanted.categories.length > 0;
  return useQuery({
    queryKey: ["graph", owner, wanted],
    queryFn: ({ signal }) =>
      body(
        api.GET("/graph", {
          signal,
          params: {
            query: {
              user_id: owner,
              app_id: ids(apps.data?.apps, wanted.apps),
              category_id: ids(categories.data?.categories, wanted.categories),
              state: wanted.states,
              from_date: bound(wanted.from),
              to_date: bound(wanted.to, true),
              limit: wanted.limit,
              around: wanted.around || undefined,
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
    staleTime: 30_000, // a picture that moves by itself cannot be read
    enabled: !isNamed || (apps.isSuccess && categories.isSuccess),
  });
}
