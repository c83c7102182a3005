"use client";

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
