"use client";

import { type User, useRemoveUser } from "@/api/users";
import { counted } from "@/format";
import { ConfirmDialog } from "../confirm-dialog";

/** Asks, with the user's name to be typed, before all that is theirs is destroyed. */
export function RemoveUserDialog({ user, onClose }: { user: User; onClose: () => void }) {
  const remove = useRemoveUser();
  return (
    <ConfirmDialog
      title={`Remove ${user.user_id}?`}
      action={remove.isPending ? "Removing…" : "Remove for good"}
      word={user.user_id}
      isPending={remove.isPending}
      error={remove.error?.message}
      onConfirm={() => remove.mutate(user.user_id, { onSuccess: onClose })}
      onClose={onClose}
    >
      <p>
        With them go {counted(user.memories, "memory", "memories")} and their history, their apps, keys and sessions,
        and every receipt. This cannot be undone.
      </p>
      <p className="text-muted-foreground">To keep what they have and only shut them out, deactivate them instead.</p>
    </ConfirmDialog>
  );
}
