"use client";

/** Tags: words that memories carry. Apart from `labels`, which the memories page does not start with. */

import { keepPreviousData, useQuery } from "@tanstack/react-query";
import { api, body } from "./client";
import { useOwner } from "./owner";

/** The tags that begin with `prefix`, those that most memories carry first: 100 at most. */
export function useTags(prefix = "", isWanted = true) {
  const { owner } = useOwner();
  return useQuery({
    queryKey: ["tags", owner, prefix],
    queryFn: () =>
      body(api.GET("/memories/tags", { params: { query: { user_id: owner, prefix: prefix || undefined } } })),
    placeholderData: keepPreviousData,
    staleTime: 30_000,
    enabled: isWanted,
  });
}
