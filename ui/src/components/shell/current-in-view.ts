"use client";

import { type RefObject, useEffect, useRef } from "react";

/** For a navigation that scrolls sideways on a phone: brings what is current into view whenever the path is another. */
export function useCurrentInView(path: string): RefObject<HTMLElement | null> {
  const nav = useRef<HTMLElement>(null);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another path has another current page
  useEffect(() => {
    const current = nav.current?.querySelector<HTMLElement>("[aria-current=page]");
    if (nav.current && current) nav.current.scrollLeft = current.offsetLeft - nav.current.clientWidth / 3;
  }, [path]);
  return nav;
}
