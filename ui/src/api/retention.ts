"use client";

/** What the retention rules that are saved would do, and do. */

import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { notify } from "@/notify";
import { api, body } from "./client";

/** Of each rule how many memories it would archive now, and the oldest ten. */
export function useRetentionPreview() {
  return useQuery({ queryKey: ["retention", "preview"], queryFn: () => body(api.GET("/retention/preview")) });
}

/** Archives by the rules now; 10,000 memories at most, so it may have to be done again. */
export function useRunRetention() {
  const queries = useQueryClient();
  return useMutation({
    mutationFn: () => body(api.POST("/retention/run")),
    onError: (error) => notify.failed(error.message),
    onSettled: () =>
      Promise.all(
        [["retention"], ["memories"], ["overview"], ["events"]].map((queryKey) =>
          queries.invalidateQueries({ queryKey }),
        ),
      ),
  });
}
