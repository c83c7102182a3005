"use client";

/** Imports: a file is looked at, taken in, watched, called off, and taken back. */

import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { useEffect, useRef } from "react";
import { counted } from "@/format";
import { notify } from "@/notify";
import { api, body, type Schemas } from "./client";
import { useOwner } from "./owner";
import { upload } from "./upload";

export type Preview = Schemas["ImportPreview"];
export type Import = Schemas["ImportOne"];
export type ImportItem = Schemas["ImportItem"];
export type Format = Preview["format"];
export type Treatment = "learn" | "keep" | "skip";

/** What is chosen for an import; the server knows what is usual for the rest. */
export type Chosen = {
  app: string;
  format: Format | "";
  mode: "skip" | "overwrite";
  memories: boolean;
  conversations: Treatment;
  conversationIds: string[] | null;
  tags: string[];
  categories: string[];
};

export type Sent = { file: File; chosen?: Partial<Chosen>; signal?: AbortSignal; onSent?: (share: number) => void };

export const IMPORTS_A_PAGE = 20;
const ASKED_EVERY = 1_000; // milliseconds, while the worker is at it

const FOLLOWS = [["imports"], ["memories"], ["overview"], ["apps"], ["categories"], ["events"], ["export"]];

function form({ file, chosen = {} }: Sent, owner: string): FormData {
  const made = new FormData();
  const options = {
    user_id: owner,
    app: chosen.app?.trim() || undefined,
    format: chosen.format || undefined,
    mode: chosen.mode,
    memories: chosen.memories,
    conversations: chosen.conversations,
    conversation_ids: chosen.conversationIds ?? undefined,
    tags: chosen.tags,
    categories: chosen.categories,
  };
  made.append("options", JSON.stringify(options));
  made.append("file", file);
  return made;
}

/** What a file holds; nothing is written. */
export function usePreview() {
  const { writesFor } = useOwner();
  return useMutation({
    mutationFn: (sent: Sent) => upload<Preview>("/imports/preview", form(sent, writesFor), sent),
  });
}

/** Take the file in; what is there then is an import to be watched. */
export function useTakeIn() {
  const { writesFor } = useOwner();
  const queries = useQueryClient();
  return useMutation({
    mutationFn: (sent: Sent) => upload<Import>("/imports", form(sent, writesFor), sent),
    onSuccess: (made) => {
      queries.setQueryData(["imports", "one", made.id], made);
      for (const queryKey of FOLLOWS) void queries.invalidateQueries({ queryKey });
    },
  });
}

export function isUnderWay({ status }: Pick<ImportItem, "status">): boolean {
  return status === "pending" || status === "processing";
}

export function useImportPage(page: number) {
  const { writesFor } = useOwner();
  return useQuery({
    queryKey: ["imports", "page", writesFor, page],
    queryFn: () =>
      body(api.GET("/imports", { params: { query: { user_id: writesFor, page, page_size: IMPORTS_A_PAGE } } })),
    placeholderData: keepPreviousData,
    refetchInterval: ({ state }) => (state.data?.items.some(isUnderWay) ? 3 * ASKED_EVERY : false),
  });
}

/** One import, asked for again while it is under way; what follows from it, when it is done. */
export function useImport(id: string) {
  const queries = useQueryClient();
  const wasUnderWay = useRef(false);
  const found = useQuery({
    queryKey: ["imports", "one", id],
    queryFn: () => body(api.GET("/imports/{import_id}", { params: { path: { import_id: id } } })),
    enabled: id !== "",
    refetchInterval: ({ state }) => (state.data && isUnderWay(state.data) ? ASKED_EVERY : false),
  });
  const isAtIt = found.data !== undefined && isUnderWay(found.data);
  useEffect(() => {
    if (wasUnderWay.current && !isAtIt) {
      for (const queryKey of FOLLOWS) void queries.invalidateQueries({ queryKey });
    }
    wasUnderWay.current = isAtIt;
  }, [isAtIt, queries]);
  return found;
}

/** What can be done with an import. */
export function useImportChanges(id: string) {
  const queries = useQueryClient();
  const settle = () => Promise.all(FOLLOWS.map((queryKey) => queries.invalidateQueries({ queryKey })));
  const params = { path: { import_id: id } };
  const onError = (error: Error) => notify.failed(error.message);
  const cancel = useMutation({
    mutationFn: () => body(api.POST("/imports/{import_id}/cancel", { params })),
    onSuccess: () => notify.done("Cancelled. What was imported before stays."),
    onError,
    onSettled: settle,
  });
  const retry = useMutation({
    mutationFn: () => body(api.POST("/imports/{import_id}/retry", { params })),
    onSuccess: () => notify.done("The failed pieces are tried again"),
    onError,
    onSettled: settle,
  });
  const takeBack = useMutation({
    /** Piece by piece, until nothing is left; how many there were, and how many were changed since. */
    mutationFn: async (force: boolean) => {
      let undone = 0;
      for (;;) {
        const done = await body(api.POST("/imports/{import_id}/undo", { params, body: { force } }));
        undone += done.undone;
        if (done.left === 0 || done.undone === 0) return { undone, changed: done.changed };
      }
    },
    onSuccess: ({ changed }) =>
      changed
        ? notify.failed(`${counted(changed, "piece")} held memories that were changed since, and stayed`)
        : notify.done("Taken back. The memories can still be restored."),
    onError,
    onSettled: settle,
  });
  return { cancel, retry, takeBack };
}
