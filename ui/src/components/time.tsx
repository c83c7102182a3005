"use client";

import { useEffect, useState } from "react";
import { exact, moment, relative } from "@/format";

const MINUTE = 60_000;

/** A time as "3 minutes ago", with the exact one on hover. It goes on while it is looked at. */
export function Time({ at, className }: { at: number | string; className?: string }) {
  const [, tick] = useState(0);
  useEffect(() => {
    const timer = setInterval(() => tick((n) => n + 1), MINUTE);
    return () => clearInterval(timer);
  }, []);
  const when = moment(at);
  return (
    <time dateTime={when.toISOString()} title={exact(when)} className={className}>
      {relative(when)}
    </time>
  );
}
