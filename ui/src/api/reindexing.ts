"use client";

/** The search index, made again. */

import { useMutation, useQueryClient } from "@tanstack/react-query";
import { counted } from "@/format";
import { notify } from "@/notify";
import { api, body } from "./client";

/** Has every memory embedded again in the background. */
export function useRebuild() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => body(api.POST("/index/rebuild")),
    onSuccess: ({ memories }) => notify.done(`${counted(memories, "memory", "memories")} will be embedded again`),
    onError: (error) => notify.failed(error.message),
    onSettled: () => queries.invalidateQueries({ queryKey: ["overview", "index"] }),
  });
}
