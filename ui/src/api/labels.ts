"use client";

/** Labels: the categories and tags that memories are given, with the way back. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { counted } from "@/format";
import { notify } from "@/notify";
import { api, body, type Schemas } from "./client";
import { FOLLOWS, type RowPage } from "./memories";

export type Labels = { categories: string[]; tags: string[] };
export type Labelling = { ids: string[]; added: Labels; removed: Labels };

function changed(before: string[], added: string[], removed: string[]): string[] {
  return [...before.filter((name) => !removed.includes(name)), ...added.filter((name) => !before.includes(name))];
}

/** Puts labels on memories and takes others off: at once on the screen, back if refused, and to be undone. */
export function useLabel() {
  const queries = useQueryClient();
  const settle = () => Promise.all(FOLLOWS.map((queryKey) => queries.invalidateQueries({ queryKey })));

  const undo = useMutation({
    mutationFn: async (events: string[]) => {
      for (const id of events) await body(api.POST("/events/{event_id}/undo", { params: { path: { event_id: id } } }));
    },
    onSuccess: () => notify.done("The labels are as they were"),
    onError: (error) => notify.failed(error.message),
    onSettled: settle,
  });

  return useMutation({
    mutationFn: ({ ids, added, removed }: Labelling) =>
      body(
        api.POST("/memories/actions/label", {
          body: {
            memory_ids: ids,
            add_categories: added.categories,
            add_tags: added.tags,
            remove_categories: removed.categories,
            remove_tags: removed.tags,
          },
        }),
      ),
    onMutate: async ({ ids, added, removed }) => {
      const shown = ids.map((id) => ["memory", id, "itself"]).slice(0, 1); // the page of one memory, if it is one
      await Promise.all([["memories"], ...shown].map((queryKey) => queries.cancelQueries({ queryKey })));
      const before = [["memories"], ...shown].flatMap((queryKey) => queries.getQueriesData({ queryKey }));
      const these = new Set(ids);
      const labelled = <T extends Labels>(one: T): T => ({
        ...one,
        categories: changed(one.categories, added.categories, removed.categories).sort(),
        tags: changed(one.tags, added.tags, removed.tags),
      });
      for (const key of shown) queries.setQueryData<Schemas["MemoryOne"]>(key, (one) => one && labelled(one));
      queries.setQueriesData<RowPage>(
        { queryKey: ["memories"] },
        (page) =>
          page && {
            ...page,
            items: page.items.map((row) => (these.has(row.id) ? labelled(row) : row)),
          },
      );
      return before;
    },
    onSuccess: ({ changed: count, event_ids }) =>
      count === 0
        ? notify.done("They were labelled so already")
        : notify.undoable(`${counted(count, "memory", "memories")} labelled`, () => undo.mutate(event_ids)),
    onError: (error, _, before) => {
      for (const [key, data] of before ?? []) queries.setQueryData(key, data);
      notify.failed(error.message);
    },
    onSettled: settle,
  });
}
