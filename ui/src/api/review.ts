"use client";

/** The review: what waits for a decision, and the decisions, at once on the screen and back if refused. */

import { keepPreviousData, type QueryKey, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { counted } from "@/format";
import { notify } from "@/notify";
import { api, body, type Schemas } from "./client";
import { useOwner } from "./owner";
import { useMe } from "./session";

export type Finding = Schemas["FindingItem"];
export type Kind = Finding["kind"];
export type Counts = Schemas["ReviewCounts"];
export type Decision = Schemas["ResolveRequest"];
type FindingPage = Schemas["FindingPage"];
type EventPage = Schemas["EventPage"];

export const A_PAGE = 20;
const LOOK_AGAIN = 15_000; // ms; agents write while the page is open
const WORKING = 2_000; // ms; while memories are being examined
const SELDOM = 5 * 60_000; // ms; what the navigation shows beside the page's name

/** How much waits, and how far the review is. */
export function useReviewCounts(isWatched = false) {
  const { owner } = useOwner();
  const me = useMe();
  return useQuery({
    queryKey: ["review", "counts", owner],
    queryFn: () => body(api.GET("/review/counts", { params: { query: { user_id: owner } } })),
    enabled: me.app === null, // a key that is bound to an app may not review
    staleTime: isWatched ? 0 : SELDOM,
    refetchInterval: ({ state }) => (!isWatched ? false : isExamining(state.data) ? WORKING : LOOK_AGAIN),
  });
}

/** Whether there are memories that have not been looked at. */
export function isExamining(counts: Counts | undefined): boolean {
  return counts !== undefined && counts.examined < counts.memories;
}

/** Everything that waits. */
export function waiting(counts: Counts): number {
  return counts.open.duplicate + counts.open.contradiction + counts.open.secret + counts.failed;
}

/** A page of findings; asked for again as often as `isExamining` says there may be new ones. */
export function useFindings(kind: Kind, isResolved: boolean, page: number, isExamining: boolean) {
  const { owner } = useOwner();
  return useQuery({
    queryKey: ["review", "list", owner, kind, isResolved, page],
    queryFn: () =>
      body(
        api.GET("/review", {
          params: { query: { user_id: owner, kind, is_resolved: isResolved, page, size: A_PAGE } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: isExamining ? WORKING : LOOK_AGAIN,
  });
}

/** A page of failed receipts that nobody dismissed, or of those that were. */
export function useFailed(isDismissed: boolean, page: number) {
  const { owner } = useOwner();
  return useQuery({
    queryKey: ["events", owner, "failed", isDismissed, page],
    queryFn: () =>
      body(
        api.GET("/events", {
          params: { query: { user_id: owner, status: "FAILED", is_dismissed: isDismissed, page, size: A_PAGE } },
        }),
      ),
    placeholderData: keepPreviousData,
    refetchInterval: LOOK_AGAIN,
  });
}

/** One receipt with what was sent. */
export function useReceipt(id: string) {
  return useQuery({
    queryKey: ["events", "one", id],
    queryFn: () => body(api.GET("/events/{event_id}", { params: { path: { event_id: id } } })),
  });
}

const FOLLOWS = [["review"], ["memories"], ["memory"], ["overview"], ["events"]];
type Snapshot = [QueryKey, unknown][];

const SAID: Record<Decision["action"], string> = {
  keep: "Kept as it is",
  merge: "Merged. The other one is archived.",
  delete: "Deleted",
  redact: "Taken out. Older versions hold it still.",
};

/** The decisions. On the screen they are taken at once; what the server refuses is put back and said. */
export function useDecisions() {
  const queries = useQueryClient();
  const settle = () => Promise.all(FOLLOWS.map((queryKey) => queries.invalidateQueries({ queryKey })));

  async function hide(ids: string[], key: QueryKey): Promise<Snapshot> {
    await queries.cancelQueries({ queryKey: key });
    const before = queries.getQueriesData({ queryKey: key });
    queries.setQueriesData<FindingPage | EventPage>({ queryKey: key }, (page) => page && without(page, ids));
    return before;
  }
  function putBack(error: Error, _: unknown, before: Snapshot | undefined) {
    for (const [key, data] of before ?? []) queries.setQueryData(key, data);
    notify.failed(error.message);
  }

  const undo = useMutation({
    mutationFn: (id: string) => body(api.POST("/review/{finding_id}/undo", { params: { path: { finding_id: id } } })),
    onMutate: (id) => hide([id], ["review", "list"]),
    onSuccess: () => notify.done("Undone. It waits again."),
    onError: putBack,
    onSettled: settle,
  });

  const resolve = useMutation({
    mutationFn: ({ id, decision }: { id: string; decision: Decision }) =>
      body(api.POST("/review/{finding_id}/resolve", { params: { path: { finding_id: id } }, body: decision })),
    onMutate: ({ id }) => hide([id], ["review", "list"]),
    onSuccess: (_, { id, decision }) => notify.undoable(SAID[decision.action], () => undo.mutate(id)),
    onError: putBack,
    onSettled: settle,
  });

  /** A secret taken out and every version that held it destroyed: of this there is no undo. */
  const forget = useMutation({
    mutationFn: async ({ id, memoryId }: { id: string; memoryId: string }) => {
      const decision = { action: "redact" as const, is_for_good: true };
      await body(api.POST("/review/{finding_id}/resolve", { params: { path: { finding_id: id } }, body: decision }));
      await body(api.POST("/memories/{memory_id}/purge", { params: { path: { memory_id: memoryId } } }));
    },
    onMutate: ({ id }) => hide([id], ["review", "list"]),
    onSuccess: () => notify.done("Taken out of every version, for good"),
    onError: putBack,
    onSettled: settle,
  });

  const undoKept = useMutation({
    mutationFn: (ids: string[]) => body(api.POST("/review/undo", { body: { finding_ids: ids } })),
    onSuccess: ({ reopened }) => notify.done(`${counted(reopened, "finding")} wait again`),
    onError: (error) => notify.failed(error.message),
    onSettled: settle,
  });

  const keepAll = useMutation({
    mutationFn: (ids: string[]) => body(api.POST("/review/resolve", { body: { finding_ids: ids, action: "keep" } })),
    onMutate: (ids) => hide(ids, ["review", "list"]),
    onSuccess: (_, ids) =>
      notify.undoable(`${counted(ids.length, "finding")} kept as they are`, () => undoKept.mutate(ids)),
    onError: putBack,
    onSettled: settle,
  });

  const dismiss = useMutation({
    mutationFn: ({ id, isDismissed }: { id: string; isDismissed: boolean }) =>
      body(
        api.POST("/events/{event_id}/dismiss", {
          params: { path: { event_id: id } },
          body: { is_dismissed: isDismissed },
        }),
      ),
    onMutate: ({ id }) => hide([id], ["events"]),
    onSuccess: (_, { id, isDismissed }) =>
      isDismissed
        ? notify.undoable("Dismissed. What was sent is kept.", () => dismiss.mutate({ id, isDismissed: false }))
        : notify.done("It waits again"),
    onError: putBack,
    onSettled: settle,
  });

  const scan = useMutation({
    mutationFn: (owner: string) => body(api.POST("/review/scan", { body: { user_id: owner } })),
    onSuccess: ({ memories }) => notify.done(`${counted(memories, "memory", "memories")} will be examined again`),
    onError: (error) => notify.failed(error.message),
    onSettled: settle,
  });

  return { resolve, forget, undo, keepAll, dismiss, scan };
}

/** The page without these; what is no page of a list (one receipt) stays. */
function without<P extends { items: { id: string }[]; total: number }>(page: P, ids: string[]): P {
  if (!Array.isArray(page.items)) return page;
  const items = page.items.filter(({ id }) => !ids.includes(id));
  return { ...page, items, total: page.total - (page.items.length - items.length) };
}
