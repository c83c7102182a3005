"use client";

/** Where one is signed in, and what clients were allowed by OAuth. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { counted } from "@/format";
import { notify } from "@/notify";
import { api, body, type Schemas } from "./client";
import { useMe } from "./session";

export type Login = Schemas["LoginLine"];
export type Grant = Schemas["GrantOut"];

export const LOGINS_A_PAGE = 20;

export function useLogins(page: number) {
  return useQuery({
    queryKey: ["logins", page],
    queryFn: () => body(api.GET("/auth/sessions", { params: { query: { page, size: LOGINS_A_PAGE } } })),
    placeholderData: keepPreviousData,
  });
}

export function useEndLogin() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) =>
      body(api.DELETE("/auth/sessions/{session_id}", { params: { path: { session_id: id } } })),
    onSuccess: () => notify.done("Signed out there"),
    onError: (error) => notify.failed(error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: ["logins"] }),
  });
}

export function useEndOtherLogins() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => body(api.DELETE("/auth/sessions")),
    onSuccess: ({ ended }) => notify.done(`Signed out of ${counted(ended, "other session")}`),
    onError: (error) => notify.failed(error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: ["logins"] }),
  });
}

/** One's own grants, newest first, ended ones too. */
export function useGrants(page: number) {
  const me = useMe();
  return useQuery({
    queryKey: ["grants", page],
    queryFn: () =>
      body(api.GET("/auth/grants", { params: { query: { user_id: me.user.user_id, page, size: LOGINS_A_PAGE } } })),
    placeholderData: keepPreviousData,
  });
}

export function useEndGrant() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => body(api.DELETE("/auth/grants/{grant_id}", { params: { path: { grant_id: id } } })),
    onSuccess: ({ client_name }) => notify.done(`${client_name} is refused from now on`),
    onError: (error) => notify.failed(error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: ["grants"] }),
  });
}
