"use client";

/** Memories: how pages of them are asked for, and how they are changed, at once on the screen and back if refused. */

import { keepPreviousData, type QueryKey, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useMemo } from "react";
import { brief, counted } from "@/format";
import { notify } from "@/notify";
import { api, body, type Schemas } from "./client";
import { useOwner } from "./owner";

export type Memory = Schemas["MemoryItem"];
export type Hit = Schemas["Hit"];
export type State = "active" | "paused" | "archived";
export type Mode = "text" | "hybrid" | "vector" | "keyword";
export type SortColumn = NonNullable<Schemas["FilterRequest"]["sort_column"]>;

/** What is asked for: the memories page keeps just this in its address. */
export type Wanted = {
  q: string;
  mode: Mode;
  apps: string[];
  categories: string[];
  tags: string[];
  states: State[];
  type: string;
  agent: string;
  session: string;
  from: string;
  to: string;
  sort: SortColumn;
  dir: "asc" | "desc";
  page: number;
  size: number;
};

/** Rows as the table shows them; `confidence` only where relevance was asked for. */
export type Row = Memory & { confidence?: number };
export type RowPage = { items: Row[]; total: number; warning?: string | null; isRanked: boolean };

type Named = { id: string; name: string };

/** The apps of whom is shown, those with most memories first; of all names that contain `name`. */
export function useApps(name = "") {
  const { owner } = useOwner();
  return useQuery({
    queryKey: ["apps", "names", owner, name],
    queryFn: () =>
      body(
        api.GET("/apps", {
          params: {
            query: {
              user_id: owner,
              name: name || undefined,
              page_size: 100,
              sort_by: "memories",
              sort_direction: "desc",
            },
          },
        }),
      ),
    placeholderData: keepPreviousData,
  });
}

/** The categories of whom is shown. */
export function useCategories() {
  const { owner } = useOwner();
  return useQuery({
    queryKey: ["categories", owner],
    queryFn: () => body(api.GET("/memories/categories", { params: { query: { user_id: owner } } })),
    staleTime: 30_000,
  });
}

/** A page of memories: ranked by relevance where words are looked for by meaning, else as the server lists them. */
export function useMemories(wanted: Wanted) {
  const { owner } = useOwner();
  const apps = useApps();
  const categories = useCategories();
  const isNamed = wanted.apps.length > 0 || wanted.categories.length > 0;
  const areKnown = !isNamed || (apps.isSuccess && categories.isSuccess);
  return useQuery({
    queryKey: ["memories", owner, wanted],
    queryFn: ({ signal }) =>
      isRelevance(wanted)
        ? ranked(wanted, owner, signal)
        : listed(
            wanted,
            owner,
            ids(apps.data?.apps, wanted.apps),
            ids(categories.data?.categories, wanted.categories),
            signal,
          ),
    placeholderData: keepPreviousData,
    enabled: areKnown,
  });
}

/** The ids of all that the list goes on to, 10,000 at most: what is selected by "all that match". */
export function useAllMatching(wanted: Wanted) {
  const { owner } = useOwner();
  const apps = useApps();
  const categories = useCategories();
  return useMutation({
    mutationFn: () =>
      body(
        api.POST("/memories/filter/ids", {
          body: narrowing(
            wanted,
            owner,
            ids(apps.data?.apps, wanted.apps),
            ids(categories.data?.categories, wanted.categories),
          ),
        }),
      ),
    onError: (error) => notify.failed(error.message),
  });
}

export function isRelevance({ q, mode }: Pick<Wanted, "q" | "mode">): boolean {
  return q.trim() !== "" && mode !== "text";
}

const NOBODY = "00000000-0000-4000-8000-000000000000"; // a name that is gone selects nothing, not everything

/** The ids of what is called so; one that nothing has, where nothing is. */
export function ids(known: Named[] | undefined, names: string[]): string[] | undefined {
  if (names.length === 0) return undefined;
  const found = (known ?? []).filter(({ name }) => names.includes(name)).map(({ id }) => id);
  return found.length > 0 ? found : [NOBODY];
}

/** Midnight of a day in the reader's zone, as the server takes it; the end of the day with `isEnd`. */
export function bound(date: string, isEnd = false): string | undefined {
  if (!date) return undefined;
  const when = new Date(`${date}T${isEnd ? "23:59:59.999" : "00:00:00"}`);
  return Number.isNaN(when.getTime()) ? undefined : when.toISOString();
}

/** What narrows the list, as the server takes it. */
function narrowing(
  wanted: Wanted,
  owner: string | undefined,
  appIds: string[] | undefined,
  categoryIds: string[] | undefined,
) {
  return {
    user_id: owner,
    search_query: wanted.q.trim() || undefined,
    app_ids: appIds,
    category_ids: categoryIds,
    tags: wanted.tags,
    states: wanted.states,
    memory_types: wanted.type ? [wanted.type] : [],
    agent_id: wanted.agent || undefined,
    run_id: wanted.session || undefined,
    from_date: bound(wanted.from),
    to_date: bound(wanted.to, true),
    show_archived: false,
  };
}

async function listed(
  wanted: Wanted,
  owner: string | undefined,
  appIds: string[] | undefined,
  categoryIds: string[] | undefined,
  signal: AbortSignal,
): Promise<RowPage> {
  const page = await body(
    api.POST("/memories/filter", {
      signal,
      body: {
        ...narrowing(wanted, owner, appIds, categoryIds),
        page: wanted.page,
        size: wanted.size,
        sort_column: wanted.sort,
        sort_direction: wanted.dir,
      },
    }),
  );
  return { items: page.items, total: page.total ?? page.items.length, isRanked: false };
}

async function ranked(wanted: Wanted, owner: string | undefined, signal: AbortSignal): Promise<RowPage> {
  const found = await body(
    api.POST("/memories/search", {
      signal,
      body: {
        user_id: owner,
        query: wanted.q.trim(),
        mode: wanted.mode === "text" ? "hybrid" : wanted.mode,
        limit: wanted.size,
        filters: filters(wanted),
        explain: false,
        neighbours: 0,
      },
    }),
  );
  return { items: found.results, total: found.total, warning: found.warning, isRanked: true };
}

/** The same narrowing in the grammar of the search. */
export function filters(wanted: Wanted): Record<string, unknown> {
  const found: Record<string, unknown> = {};
  if (wanted.apps.length) found.app = wanted.apps;
  if (wanted.categories.length) found.categories = wanted.categories;
  if (wanted.tags.length) found.tags = wanted.tags;
  if (wanted.type) found.memory_type = wanted.type;
  if (wanted.agent) found.agent_id = wanted.agent;
  if (wanted.session) found.run_id = wanted.session;
  const created: Record<string, string> = {};
  const from = bound(wanted.from);
  const to = bound(wanted.to, true);
  if (from) created.gte = from;
  if (to) created.lte = to;
  if (from || to) found.created_at = created;
  return found;
}

type Snapshot = [QueryKey, unknown][];

/** What follows a change of memories, and is asked for again. */
const FOLLOWED = ["memories", "memory", "overview", "apps", "categories", "tags", "events", "graph", "review"];
export const FOLLOWS = FOLLOWED.map((noun) => [noun]);

const RESTORED = 1_000; // at a time: more the server does not take

/** The changes of memories. On the screen they happen at once; what the server refuses is taken back and said. */
export function useMemoryChanges() {
  const queries = useQueryClient();

  const tools = useMemo(() => {
    /** Change what is shown of the rows; what was shown before, to be put back. */
    async function show(change: (page: RowPage) => RowPage): Promise<Snapshot> {
      await queries.cancelQueries({ queryKey: ["memories"] });
      const before = queries.getQueriesData({ queryKey: ["memories"] });
      queries.setQueriesData<RowPage>({ queryKey: ["memories"] }, (page) => page && change(page));
      return before;
    }
    function putBack(error: Error, before: Snapshot | undefined) {
      for (const [key, data] of before ?? []) queries.setQueryData(key, data);
      notify.failed(error.message);
    }
    async function settle() {
      await Promise.all(FOLLOWS.map((queryKey) => queries.invalidateQueries({ queryKey })));
    }
    return { show, putBack, settle };
  }, [queries]);

  const restore = useMutation({
    mutationFn: async (ids: string[]) => {
      for (let start = 0; start < ids.length; start += RESTORED) {
        const some = ids.slice(start, start + RESTORED);
        await body(api.POST("/memories/actions/restore", { body: { memory_ids: some } }));
      }
    },
    onSuccess: (_, ids) =>
      notify.done(ids.length === 1 ? "Restored" : `${counted(ids.length, "memory", "memories")} restored`),
    onError: (error) => notify.failed(error.message),
    onSettled: tools.settle,
  });

  const setState = useMutation({
    mutationFn: ({ ids, state }: { ids: string[]; state: State }) =>
      body(
        api.POST("/memories/actions/pause", {
          body: { memory_ids: ids, state, all_for_app: false, global_pause: false },
        }),
      ),
    onMutate: ({ ids, state }) => {
      const these = new Set(ids);
      return tools.show((page) => ({
        ...page,
        items: page.items.map((row) => (these.has(row.id) ? { ...row, state } : row)),
      }));
    },
    onSuccess: (_, { ids, state }) => notify.done(said(ids.length, state)),
    onError: (error, _, before) => tools.putBack(error, before),
    onSettled: tools.settle,
  });

  const remove = useMutation({
    mutationFn: (ids: string[]) => body(api.DELETE("/memories", { body: { memory_ids: ids } })),
    onMutate: (ids) => {
      const these = new Set(ids);
      return tools.show((page) => {
        const items = page.items.filter((row) => !these.has(row.id));
        return { ...page, items, total: page.total - (page.items.length - items.length) };
      });
    },
    onSuccess: (_, ids) =>
      notify.undoable(ids.length === 1 ? "Deleted" : `${counted(ids.length, "memory", "memories")} deleted`, () =>
        restore.mutate(ids),
      ),
    onError: (error, _, before) => tools.putBack(error, before),
    onSettled: tools.settle,
  });

  const edit = useMutation({
    mutationFn: ({ id, content }: { id: string; content: string }) =>
      body(
        api.PUT("/memories/{memory_id}", { params: { path: { memory_id: id } }, body: { memory_content: content } }),
      ),
    onMutate: ({ id, content }) =>
      tools.show((page) => ({
        ...page,
        items: page.items.map((row) => (row.id === id ? { ...row, content } : row)),
      })),
    onSuccess: () => notify.done("Saved. The old version is kept."),
    onError: (error, _, before) => tools.putBack(error, before),
    onSettled: tools.settle,
  });

  const create = useMutation({
    mutationFn: (made: { text: string; infer: boolean; user_id: string; app?: string }) =>
      body(api.POST("/memories", { body: { ...made, metadata: {}, async: false } as Schemas["MemoryCreate"] })),
    onSuccess: (made) => notify.done(learned(made)),
    onSettled: tools.settle,
  });

  return { restore, setState, remove, edit, create };
}

const SAID: Record<State, string> = { active: "active again", paused: "paused", archived: "archived" };

function said(count: number, state: State): string {
  const what = SAID[state];
  return count === 1 ? what.charAt(0).toUpperCase() + what.slice(1) : `${counted(count, "memory", "memories")} ${what}`;
}

/** What became of a new memory, by its receipt. */
function learned(made: Schemas["MemoryCreated"] | Schemas["Answer"]): string {
  const [first] = made.results;
  if (!first) return "Nothing in it was worth remembering";
  if (first.event === "NONE") return "It is known already";
  if (first.event === "UPDATE") return "A memory was brought up to date";
  return made.results.length > 1
    ? `${made.results.length} memories made`
    : `Remembered: ${brief(String(first.memory ?? ""), 40)}`;
}
