"use client";

/** Files that the server makes and the browser saves. */

import { useMutation } from "@tanstack/react-query";
import { notify } from "@/notify";
import { api, body } from "./client";

const PATIENCE = 1_000; // ms, until the browser has begun to save

function save(file: Blob, name: string): void {
  const link = document.createElement("a");
  link.href = URL.createObjectURL(file);
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(link.href), PATIENCE);
}

export type Exported = { ids: string[]; owner?: string; as: "lines" | "backup" };

/** Has the browser save just these memories: as lines of JSON, or one owner's as a backup that can be imported. */
export function useExport() {
  return useMutation({
    mutationFn: async ({ ids, owner, as }: Exported) => {
      const today = new Date().toISOString().slice(0, 10);
      if (as === "backup" && owner !== undefined) {
        const asked = { user_id: owner, memory_ids: ids, include_vectors: false };
        const zip = (await body(api.POST("/backup/export", { body: asked, parseAs: "blob" }))) as Blob;
        return save(zip, `memories-${today}.zip`);
      }
      const lines = (await body(
        api.POST("/memories/actions/export", { body: { memory_ids: ids, user_id: owner }, parseAs: "blob" }),
      )) as Blob;
      save(lines, `memories-${today}.jsonl`);
    },
    onError: (error) => notify.failed(error.message),
  });
}
