"use client";

/** What the overview shows: figures, the index, receipts. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { counted } from "@/format";
import { notify } from "@/notify";
import { api, body } from "./client";
import { useOwner } from "./owner";

const LOOK_AGAIN = 15_000; // ms; agents write while the page is open
const WAITING = 2_500; // ms; while the first memory is waited for

/** Counts by state and category, and the days; looked at more often while there is nothing yet. */
export function useFigures(days: number) {
  const { owner } = useOwner();
  return useQuery({
    queryKey: ["overview", "figures", owner, days],
    queryFn: () => body(api.GET("/stats/overview", { params: { query: { user_id: owner, days } } })),
    refetchInterval: ({ state }) => (state.data && living(state.data.states) === 0 ? WAITING : LOOK_AGAIN),
  });
}

/** How many memories there are that are not deleted. */
export function living(states: Record<string, number>): number {
  return (states.active ?? 0) + (states.paused ?? 0) + (states.archived ?? 0);
}

export function useIndex() {
  return useQuery({
    queryKey: ["overview", "index"],
    queryFn: () => body(api.GET("/index")),
    refetchInterval: ({ state }) =>
      state.data && (state.data.indexed < state.data.memories || state.data.building) ? 2_000 : LOOK_AGAIN,
  });
}

export function useEvents(status?: "FAILED") {
  const { owner } = useOwner();
  return useQuery({
    queryKey: ["events", owner, status ?? "all"],
    queryFn: () =>
      body(
        api.GET("/events", { params: { query: { user_id: owner, status, is_dismissed: status && false, size: 8 } } }),
      ),
    refetchInterval: LOOK_AGAIN,
  });
}

/** Tries a failed receipt again, at once. */
export function useRetry() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (id: string) => body(api.POST("/events/{event_id}/retry", { params: { path: { event_id: id } } })),
    onSuccess: (receipt) =>
      receipt.status === "FAILED"
        ? notify.failed(receipt.error ?? "It failed again")
        : notify.done("It succeeded this time"),
    onError: (error) => notify.failed(error.message),
    onSettled: () =>
      Promise.all(
        [["events"], ["memories"], ["overview"], ["review"]].map((queryKey) => queries.invalidateQueries({ queryKey })),
      ),
  });
}

/** Has the worker try all of one's failed receipts again. */
export function useRetryAll() {
  const queries = useQueryClient();
  const { owner } = useOwner();
  return useMutation({
    mutationFn: () => body(api.POST("/events/retry", { params: { query: { user_id: owner } } })),
    onSuccess: ({ retried }) => notify.done(`${counted(retried, "receipt")} will be tried again`),
    onError: (error) => notify.failed(error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: ["events"] }),
  });
}
