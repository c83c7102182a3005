"use client";

import { useEffect, useRef, useState } from "react";
import { Dialog, DialogContent } from "../ui/dialog";

const SHORTCUTS: [string, string][] = [
  ["j / k", "Next, previous memory"],
  ["Enter", "Open the memory"],
  ["e", "Edit it in place"],
  ["x", "Select it"],
  ["n", "New memory"],
  ["/", "Search"],
  ["Esc", "Leave what is open"],
  ["?", "This list"],
];

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

/** The list of the keys, by `?`. */
export function ShortcutsDialog({ isOpen, setOpen }: { isOpen: boolean; setOpen: (open: boolean) => void }) {
  return (
    <Dialog open={isOpen} onOpenChange={setOpen}>
      <DialogContent title="Keys" className="w-[min(24rem,calc(100vw-2rem))]">
        <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2">
          {SHORTCUTS.map(([key, meaning]) => (
            <div key={key} className="contents">
              <dt>
                <kbd className="rounded-sm border bg-muted px-1.5 py-0.5 font-mono text-xs">{key}</kbd>
              </dt>
              <dd>{meaning}</dd>
            </div>
          ))}
        </dl>
      </DialogContent>
    </Dialog>
  );
}

/** The dialog's state, and the key that opens it. */
export function useShortcutsDialog() {
  const [isOpen, setOpen] = useState(false);
  useShortcuts({ "?": () => setOpen(true) });
  return { isOpen, setOpen };
}
