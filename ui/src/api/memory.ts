"use client";

/** One memory, and what is known about it. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { notify } from "@/notify";
import { api, body } from "./client";
import { FOLLOWS } from "./memories";

export function useMemory(id: string) {
  return useQuery({
    queryKey: ["memory", id, "itself"],
    queryFn: () => body(api.GET("/memories/{memory_id}", { params: { path: { memory_id: id } } })),
    enabled: id !== "",
  });
}

/** Its versions, newest first; those of a deleted one too. */
export function useHistory(id: string, page: number) {
  return useQuery({
    queryKey: ["memory", id, "history", page],
    queryFn: () =>
      body(
        api.GET("/memories/{memory_id}/history", { params: { path: { memory_id: id }, query: { page, size: 10 } } }),
      ),
    placeholderData: keepPreviousData,
    enabled: id !== "",
  });
}

export function useAccessLog(id: string, page: number) {
  return useQuery({
    queryKey: ["memory", id, "accesses", page],
    queryFn: () =>
      body(
        api.GET("/memories/{memory_id}/access-log", { params: { path: { memory_id: id }, query: { page, size: 10 } } }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function useRelated(id: string) {
  return useQuery({
    queryKey: ["memory", id, "related"],
    queryFn: () => body(api.GET("/memories/{memory_id}/related", { params: { path: { memory_id: id } } })),
  });
}

/** Between which states it went. */
export function useTransitions(id: string, page: number) {
  return useQuery({
    queryKey: ["memory", id, "states", page],
    queryFn: () =>
      body(
        api.GET("/memories/{memory_id}/status-history", {
          params: { path: { memory_id: id }, query: { page, size: 10 } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** The turns of the conversation of which a model made it. */
export function useSources(id: string, isWanted: boolean) {
  return useQuery({
    queryKey: ["memory", id, "sources"],
    queryFn: () => body(api.GET("/memories/{memory_id}/sources", { params: { path: { memory_id: id } } })),
    enabled: isWanted,
  });
}

export type Details = {
  metadata?: Record<string, unknown>;
  expires_at?: string | null;
  memory_type?: "insight" | "pinned";
};

/** Changes what is said of it; its text is `useMemoryChanges`'. */
export function useAmend(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (details: Details) =>
      body(api.PUT("/memories/{memory_id}", { params: { path: { memory_id: id } }, body: details })),
    onSuccess: () => notify.done("Saved. The old version is kept."),
    onSettled: () => Promise.all(FOLLOWS.map((queryKey) => queries.invalidateQueries({ queryKey }))),
  });
}

/** Brings an older version back, as a new one; without a version, what was deleted. */
export function useRestore(id: string) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (version?: number) =>
      body(api.POST("/memories/{memory_id}/restore", { params: { path: { memory_id: id } }, body: { version } })),
    onSuccess: (_, version) => notify.done(version ? `Version ${version} is back, as a new one` : "Restored"),
    onError: (error) => notify.failed(error.message),
    onSettled: () =>
      Promise.all(
        [["memory", id], ["memories"], ["overview"]].map((queryKey) => queries.invalidateQueries({ queryKey })),
      ),
  });
}
