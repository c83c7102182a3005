"use client";

import { useQueryClient } from "@tanstack/react-query";
import { WifiOff } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { connection } from "@/api/connection";
import { notify } from "@/notify";

const ASK_EVERY = 2_000;

async function isBack(): Promise<boolean> {
  try {
    return (await fetch("/health", { cache: "no-store" })).ok;
  } catch {
    return false;
  }
}

/** Says that the server does not answer, asks until it does, and has everything loaded again then. */
export function OfflineBanner() {
  const isUp = useSyncExternalStore(connection.follow, connection.get, () => true);
  const queries = useQueryClient();
  useEffect(() => {
    if (isUp) return;
    const timer = setInterval(async () => {
      if (!(await isBack())) return;
      connection.set(true);
      notify.done("The server is back");
      void queries.invalidateQueries();
    }, ASK_EVERY);
    return () => clearInterval(timer);
  }, [isUp, queries]);
  if (isUp) return null;
  return (
    <div role="alert" className="flex items-center justify-center gap-2 bg-warning-soft px-4 py-2 text-warning">
      <WifiOff className="size-4 shrink-0" />
      <span>The server does not answer. What you see may be old; nothing can be changed until it is back.</span>
    </div>
  );
}
