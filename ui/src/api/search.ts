"use client";

/** The search lab: a query with all its knobs, what each score is made of, and why something is not found. */

import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { api, body } from "./client";
import { useOwner } from "./owner";

export type Asked = {
  q: string;
  mode: "hybrid" | "vector" | "keyword";
  limit: number;
  threshold: number;
  app: string;
  rerank: boolean;
};

function request(asked: Asked, owner: string | undefined) {
  return {
    user_id: owner,
    query: asked.q.trim(),
    mode: asked.mode,
    limit: asked.limit,
    threshold: asked.threshold > 0 ? asked.threshold / 100 : undefined,
    app: asked.app || undefined,
    rerank: asked.rerank || undefined,
    explain: true,
  };
}

export function useSearch(asked: Asked) {
  const { owner } = useOwner();
  return useQuery({
    queryKey: ["search", owner, asked],
    queryFn: async ({ signal }) => {
      const begun = performance.now();
      const found = await body(api.POST("/memories/search", { signal, body: request(asked, owner) }));
      return { ...found, ms: Math.round(performance.now() - begun) };
    },
    enabled: asked.q.trim() !== "",
    placeholderData: keepPreviousData,
  });
}

/** Why a memory is not among the hits of a search. */
export function useWhyNot(asked: Asked) {
  const { owner } = useOwner();
  return useMutation({
    mutationFn: (memoryId: string) =>
      body(api.POST("/memories/search/why-not", { body: { ...request(asked, owner), memory_id: memoryId } })),
  });
}
