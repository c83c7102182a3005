"use client";

import { Button } from "../ui/button";
import { Dialog, DialogActions, DialogClose, DialogContent } from "../ui/dialog";

type ForgetProps = { onForget: () => void; onClose: () => void };

/** Asks before what cannot be undone. */
export function ForgetDialog({ onForget, onClose }: ForgetProps) {
  return (
    <Dialog open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <DialogContent
        title="Take it out for good?"
        description="The rest of the text becomes a new memory. The old one is destroyed with its versions, its history and what it was learned from. This cannot be undone."
      >
        <DialogActions>
          <DialogClose asChild>
            <Button>Cancel</Button>
          </DialogClose>
          <Button variant="danger" onClick={onForget}>
            Take it out for good
          </Button>
        </DialogActions>
      </DialogContent>
    </Dialog>
  );
}
