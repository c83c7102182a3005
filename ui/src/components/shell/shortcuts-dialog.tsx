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
const IN_REVIEW: [string, string][] = [
  ["j / k", "Next, previous finding"],
  ["m", "Merge the two"],
  ["b", "Keep both, or the secret"],
  ["1 / 2", "Delete the older, the newer"],
  ["r", "Take the secret out"],
];

/** The list of the keys, by `?`. */
export function ShortcutsDialog({ isOpen, setOpen }: { isOpen: boolean; setOpen: (open: boolean) => void }) {
  return (
    <Dialog open={isOpen} onOpenChange={setOpen}>
      <DialogContent title="Keys" className="w-[min(24rem,calc(100vw-2rem))]">
        <Keys of={SHORTCUTS} />
        <h3 className="mt-4 mb-2 font-medium">In the review</h3>
        <Keys of={IN_REVIEW} />
      </DialogContent>
    </Dialog>
  );
}

function Keys({ of }: { of: [string, string][] }) {
  return (
    <dl className="grid grid-cols-[auto_1fr] items-center gap-x-4 gap-y-2">
      {of.map(([key, meaning]) => (
        <div key={key} className="contents">
          <dt>
            <kbd className="rounded-sm border bg-muted px-1.5 py-0.5 font-mono text-xs">{key}</kbd>
          </dt>
          <dd>{meaning}</dd>
        </div>
      ))}
    </dl>
  );
}
