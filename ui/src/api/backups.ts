"use client";

/** Backups: how many memories one would hold, and the file itself. */

import { keepPreviousData, useMutation, useQuery } from "@tanstack/react-query";
import { ApiError, api, body, type Schemas, send, sentence } from "./client";
import { useOwner } from "./owner";

export type Selected = { app: string; from: string; to: string };

function request(owner: string, { app, from, to }: Selected): Schemas["ExportRequest"] {
  return {
    user_id: owner,
    app_id: app || null,
    from_date: epoch(from, "T00:00:00"),
    to_date: epoch(to, "T23:59:59"),
    include_vectors: false,
  };
}

/** A day in the reader's zone as the server takes it. */
function epoch(day: string, time: string): number | null {
  const when = new Date(`${day}${time}`).getTime();
  return day && !Number.isNaN(when) ? Math.max(0, Math.floor(when / 1000)) : null;
}

/** The apps of the one person whose memories are exported, whoever else is shown elsewhere. */
export function useAppsToExport() {
  const { writesFor } = useOwner();
  return useQuery({
    queryKey: ["apps", "export", writesFor],
    queryFn: () =>
      body(
        api.GET("/apps", {
          params: { query: { user_id: writesFor, page_size: 100, sort_by: "memories", sort_direction: "desc" } },
        }),
      ),
  });
}

export function useExportCount(selected: Selected) {
  const { writesFor } = useOwner();
  return useQuery({
    queryKey: ["export", writesFor, selected],
    queryFn: () => body(api.POST("/backup/export/count", { body: request(writesFor, selected) })),
    placeholderData: keepPreviousData,
  });
}

type Download = { selected: Selected; onBytes: (bytes: number) => void };

/** The zip, handed to the browser as a download once all of it is here. */
export function useDownload() {
  const { writesFor } = useOwner();
  return useMutation({
    mutationFn: async ({ selected, onBytes }: Download) => {
      const asked = new Request("/api/v1/backup/export", {
        method: "POST",
        headers: { "Content-Type": "application/json" },
        body: JSON.stringify(request(writesFor, selected)),
      });
      const answer = await send(asked);
      if (!answer.ok || !answer.body) {
        const said: unknown = await answer.json().catch(() => undefined);
        throw new ApiError(answer.status, sentence(said, answer.status), answer.headers.get("X-Request-Id"));
      }
      save(
        await gathered(answer.body, onBytes),
        `commonplace-${writesFor}-${new Date().toISOString().slice(0, 10)}.zip`,
      );
    },
  });
}

async function gathered(
  stream: ReadableStream<Uint8Array<ArrayBuffer>>,
  onBytes: (bytes: number) => void,
): Promise<Blob> {
  const pieces: Uint8Array<ArrayBuffer>[] = [];
  const reader = stream.getReader();
  let bytes = 0;
  for (;;) {
    const { done, value } = await reader.read();
    if (done) return new Blob(pieces, { type: "application/zip" });
    pieces.push(value);
    bytes += value.length;
    onBytes(bytes);
  }
}

function save(file: Blob, name: string): void {
  const address = URL.createObjectURL(file);
  const link = document.createElement("a");
  link.href = address;
  link.download = name;
  link.click();
  setTimeout(() => URL.revokeObjectURL(address), 60_000);
}
