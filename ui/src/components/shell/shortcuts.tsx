"use client";

import { useEffect, useRef, useState } from "react";

/** Whether a key belongs to what has the focus, and not to the page. */
function isTaken(event: KeyboardEvent): boolean {
  if (event.defaultPrevented || event.ctrlKey || event.metaKey || event.altKey) return true;
  const target = event.target as HTMLElement;
  if (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName)) return true;
  return document.querySelector('[role="dialog"], [role="menu"]') !== null;
}

/** Runs what a key means on this page, unless somebody is typing. */
export function useShortcuts(keys: Record<string, (event: KeyboardEvent) => void>): void {
  const current = useRef(keys);
  current.current = keys;
  useEffect(() => {
    function press(event: KeyboardEvent) {
      const action = current.current[event.key];
      if (!action || isTaken(event)) return;
      action(event);
    }
    window.addEventListener("keydown", press);
    return () => window.removeEventListener("keydown", press);
  }, []);
}

/** The dialog's state, and the key that opens it. */
export function useShortcutsDialog() {
  const [isOpen, setOpen] = useState(false);
  useShortcuts({ "?": () => setOpen(true) });
  return { isOpen, setOpen };
}
