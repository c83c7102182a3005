"use client";

/** API keys: what programs sign their requests with. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { notify } from "@/notify";
import { api, body, type Schemas } from "./client";

export type Key = Schemas["KeyOut"];
export type Made = Schemas["MadeOut"];
export type NewKey = Schemas["KeyIn"];
export type KeysWanted = { owner?: string; appId?: string; showsRevoked: boolean; page: number };

export const KEYS_A_PAGE = 50;

/** Keys, newest first: an owner's (everybody's without one, for an admin), or those that are bound to an app. */
export function useKeys({ owner, appId, showsRevoked, page }: KeysWanted) {
  return useQuery({
    queryKey: ["keys", owner, appId, showsRevoked, page],
    queryFn: () =>
      body(
        api.GET("/api-keys", {
          params: {
            query: {
              user_id: owner,
              app_id: appId,
              is_revoked: showsRevoked ? undefined : false,
              page,
              size: KEYS_A_PAGE,
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** A new key; the answer is the only one that has its secret. What is wrong is said beside the form. */
export function useMakeKey() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (wanted: NewKey) => body(api.POST("/api-keys", { body: wanted })),
    onSuccess: () => Promise.all([["keys"], ["apps"]].map((queryKey) => queries.invalidateQueries({ queryKey }))),
    gcTime: 0, // the secret is not kept for longer than it is shown
  });
}

type KeyPage = Schemas["Page_KeyOut_"];

/** What changes a key: at once on the screen, and back if the server refuses. */
function useKeyChange<Change extends { id: string }>(
  send: (change: Change) => Promise<unknown>,
  shown: (key: Key, change: Change) => Key,
  done: (change: Change) => string,
) {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: send,
    onMutate: async (change) => {
      await queries.cancelQueries({ queryKey: ["keys"] });
      const before = queries.getQueriesData({ queryKey: ["keys"] });
      queries.setQueriesData<KeyPage>(
        { queryKey: ["keys"] },
        (page) =>
          page && { ...page, items: page.items.map((key) => (key.id === change.id ? shown(key, change) : key)) },
      );
      return before;
    },
    onSuccess: (_, change) => notify.done(done(change)),
    onError: (error, _, before) => {
      for (const [key, data] of before ?? []) queries.setQueryData(key, data);
      notify.failed(error.message);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["keys"] }),
  });
}

export function useRevokeKey() {
  return useKeyChange<{ id: string; label: string }>(
    ({ id }) => body(api.DELETE("/api-keys/{key_id}", { params: { path: { key_id: id } } })),
    (key) => ({ ...key, revoked_at: key.revoked_at ?? new Date().toISOString() }),
    ({ label }) => `${label} is refused from now on`,
  );
}

export function useRenameKey() {
  return useKeyChange<{ id: string; label: string }>(
    ({ id, label }) => body(api.PUT("/api-keys/{key_id}", { params: { path: { key_id: id } }, body: { label } })),
    (key, { label }) => ({ ...key, label }),
    ({ label }) => `It is called ${label} now`,
  );
}
