"use client";

/** Access rules: which memories an app may see, and which apps may see a memory. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { notify } from "@/notify";
import { api, body, type Schemas } from "./client";

export type Rule = Schemas["RuleOut"];
export type Reader = Schemas["ReaderOut"];
export type Effect = Rule["effect"];

export const RULES_A_PAGE = 20;

export function useRules(appId: string, page: number) {
  return useQuery({
    queryKey: ["rules", appId, page],
    queryFn: () =>
      body(
        api.GET("/apps/{app_id}/access-rules", {
          params: { path: { app_id: appId }, query: { page, size: RULES_A_PAGE } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** The apps of a memory's owner, and why those that are not shown it are not. */
export function useReaders(memoryId: string, page: number) {
  return useQuery({
    queryKey: ["rules", "readers", memoryId, page],
    queryFn: () =>
      body(
        api.GET("/memories/{memory_id}/readers", {
          params: { path: { memory_id: memoryId }, query: { page, size: RULES_A_PAGE } },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** Memories to make a rule about: the best of a search among one owner's. */
export function useCandidates(owner: string | undefined, query: string) {
  return useQuery({
    queryKey: ["memories", "candidates", owner, query],
    queryFn: ({ signal }) => body(api.POST("/memories/search", { signal, body: { user_id: owner, query, limit: 5 } })),
    enabled: owner !== undefined && query !== "",
    placeholderData: keepPreviousData,
  });
}

type Wanted = { appId: string; effect: Effect; memoryId: string | null; done: string };

/** Makes and takes away rules; each can be undone by the other. */
export function useRuleChanges() {
  const queries = useQueryClient();
  const follow = () => queries.invalidateQueries({ queryKey: ["rules"] });
  const failed = (error: Error) => notify.failed(error.message);
  const put = useMutation({
    mutationFn: ({ appId, effect, memoryId }: Wanted) =>
      body(
        api.POST("/apps/{app_id}/access-rules", {
          params: { path: { app_id: appId } },
          body: { effect, memory_id: memoryId },
        }),
      ),
    onSuccess: ({ replaced, ...rule }, { appId, memoryId, done }) =>
      notify.undoable(done, () =>
        replaced
          ? put.mutate({ appId, effect: replaced, memoryId, done: "As it was" })
          : remove.mutate({ appId, rule, done: "As it was" }),
      ),
    onError: failed,
    onSettled: follow,
  });
  const remove = useMutation({
    mutationFn: ({ appId, rule }: { appId: string; rule: Pick<Rule, "id" | "effect" | "memory_id">; done: string }) =>
      body(
        api.DELETE("/apps/{app_id}/access-rules/{rule_id}", {
          params: { path: { app_id: appId, rule_id: rule.id } },
        }),
      ),
    onSuccess: (_, { appId, rule, done }) =>
      notify.undoable(done, () =>
        put.mutate({ appId, effect: rule.effect, memoryId: rule.memory_id, done: "As it was" }),
      ),
    onError: failed,
    onSettled: follow,
  });
  return { put, remove };
}
