"use client";

/** Apps: the clients through which memories are written and read. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { notify } from "@/notify";
import { api, body, type Schemas } from "./client";
import { useOwner } from "./owner";

export type App = Schemas["AppItem"];
export type AppSort = "name" | "memories" | "memories_accessed" | "created_at" | "last_accessed";
export type AppsWanted = { name: string; status: "all" | "active" | "paused"; sort: AppSort; page: number };

export const APPS_A_PAGE = 24;

export function useAppPage({ name, status, sort, page }: AppsWanted) {
  const { owner } = useOwner();
  return useQuery({
    queryKey: ["apps", "page", owner, name, status, sort, page],
    queryFn: () =>
      body(
        api.GET("/apps", {
          params: {
            query: {
              user_id: owner,
              name: name || undefined,
              is_active: status === "all" ? undefined : status === "active",
              sort_by: sort,
              sort_direction: sort === "name" ? "asc" : "desc",
              page,
              page_size: APPS_A_PAGE,
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

export function useApp(id: string) {
  return useQuery({
    queryKey: ["apps", "one", id],
    queryFn: () => body(api.GET("/apps/{app_id}", { params: { path: { app_id: id } } })),
    enabled: id !== "",
  });
}

/** What it wrote and read on each of the last days. */
export function useAppDays(id: string, days: number) {
  return useQuery({
    queryKey: ["apps", "days", id, days],
    queryFn: () => body(api.GET("/apps/{app_id}/days", { params: { path: { app_id: id }, query: { days } } })),
    placeholderData: keepPreviousData,
  });
}

export function useCreated(id: string, page: number) {
  return useQuery({
    queryKey: ["apps", "created", id, page],
    queryFn: () =>
      body(api.GET("/apps/{app_id}/memories", { params: { path: { app_id: id }, query: { page, page_size: 20 } } })),
    placeholderData: keepPreviousData,
  });
}

export function useAccessed(id: string, page: number) {
  return useQuery({
    queryKey: ["apps", "accessed", id, page],
    queryFn: () =>
      body(api.GET("/apps/{app_id}/accessed", { params: { path: { app_id: id }, query: { page, page_size: 20 } } })),
    placeholderData: keepPreviousData,
  });
}

/** Pause or resume an app: at once on the screen, and back if the server refuses. */
export function useSetActive() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: ({ id, isActive }: { id: string; isActive: boolean }) =>
      body(api.PUT("/apps/{app_id}", { params: { path: { app_id: id }, query: { is_active: isActive } } })),
    onMutate: async ({ id, isActive }) => {
      await queries.cancelQueries({ queryKey: ["apps"] });
      const before = queries.getQueriesData({ queryKey: ["apps"] });
      queries.setQueriesData<Schemas["Apps"]>(
        { queryKey: ["apps", "page"] },
        (page) =>
          page && { ...page, apps: page.apps.map((app) => (app.id === id ? { ...app, is_active: isActive } : app)) },
      );
      queries.setQueryData<App>(["apps", "one", id], (app) => app && { ...app, is_active: isActive });
      return before;
    },
    onSuccess: (_, { isActive }) =>
      notify.done(isActive ? "The app may read and write again" : "Paused: the app reads nothing and may not write"),
    onError: (error, _, before) => {
      for (const [key, data] of before ?? []) queries.setQueryData(key, data);
      notify.failed(error.message);
    },
    onSettled: () => queries.invalidateQueries({ queryKey: ["apps"] }),
  });
}
