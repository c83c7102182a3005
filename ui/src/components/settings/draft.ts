"use client";

import { useEffect, useState } from "react";
import { same } from "@/api/config";

export type Draft<T> = {
  value: T;
  set: (value: T) => void;
  isDirty: boolean;
  /** It was changed on the server since it was begun: what is there now is not what this was made from. */
  isStale: boolean;
  /** Give it up for what is saved. */
  discard: () => void;
  /** Go on with it, knowing what is saved by now. */
  keep: () => void;
  /** It is saved, and this is how. */
  saved: (value: T) => void;
  /** Whether `now` is what it was made from. */
  isMadeFrom: (now: T) => boolean;
};

/** What somebody edits, beside what is saved: it follows that until it is changed itself. */
export function useDraft<T>(saved: T): Draft<T> {
  const [base, setBase] = useState(saved);
  const [value, set] = useState(saved);
  const isDirty = !same(value, base);
  const isOld = !same(saved, base);
  function take(now: T) {
    setBase(now);
    set(now);
  }
  if (isOld && !isDirty) take(saved);
  useLeaveWarning(isDirty);
  return {
    value,
    set,
    isDirty,
    isStale: isOld && isDirty,
    discard: () => take(saved),
    keep: () => setBase(saved),
    saved: take,
    isMadeFrom: (now) => same(now, base),
  };
}

/** The browser asks before the page is left with something unsaved. */
export function useLeaveWarning(isDirty: boolean) {
  useEffect(() => {
    if (!isDirty) return;
    const ask = (event: BeforeUnloadEvent) => event.preventDefault();
    window.addEventListener("beforeunload", ask);
    return () => window.removeEventListener("beforeunload", ask);
  }, [isDirty]);
}
