"use client";

import { type Key, useRevokeKey } from "@/api/keys";
import { ConfirmDialog } from "../confirm-dialog";
import { Time } from "../time";

/** Asks before a key is revoked, and says what will stop working. */
export function RevokeDialog({ revoked, onClose }: { revoked: Key; onClose: () => void }) {
  const revoke = useRevokeKey();
  return (
    <ConfirmDialog
      title={`Revoke ${revoked.label}?`}
      action="Revoke the key"
      onClose={onClose}
      onConfirm={() => {
        revoke.mutate(revoked);
        onClose();
      }}
    >
      <p>
        Whatever signs in with <code className="font-mono text-xs">{revoked.prefix}…</code> is refused from the next
        request on. A revoked key cannot be brought back; a new one can be made.
      </p>
      <p className="text-muted-foreground">
        {revoked.last_used_at ? (
          <>
            It was last used <Time at={revoked.last_used_at} />
            {revoked.app_name && <> by {revoked.app_name}</>}.
          </>
        ) : (
          "It was never used."
        )}
        {!revoked.app_name && " All other sessions of its user end, too: somebody may have signed in with it."}
      </p>
    </ConfirmDialog>
  );
}
