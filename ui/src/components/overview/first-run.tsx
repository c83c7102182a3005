"use client";

import { CircleCheck, KeyRound, LoaderCircle } from "lucide-react";
import { useMakeKey } from "@/api/keys";
import { useMe, useSession } from "@/api/session";
import { notify } from "@/notify";
import { Commands, Secret } from "../connect/commands";
import { PageHeader } from "../page-header";
import { Button } from "../ui/button";

const PLACEHOLDER = "cp_YOUR_KEY";

/** What a new owner sees: how to connect an agent, and whether its first memory has arrived. */
export function FirstRun({ hasArrived, onDone }: { hasArrived: boolean; onDone: () => void }) {
  const me = useMe();
  const { session } = useSession();
  const made = useMakeKey();
  const make = () =>
    made.mutate(
      { label: "first agent", scopes: ["read", "write"] },
      { onError: (error) => notify.failed(error.message) },
    );
  const key = made.data?.key ?? PLACEHOLDER;
  const isOpen = session.state === "in" && session.how === "open";
  return (
    <div className="mx-auto max-w-3xl">
      <PageHeader
        title="Connect your first agent"
        note="Three ways in. Whichever you take, what it remembers appears here."
      />
      <ol className="grid gap-8">
        <li>
          <h2 className="mb-2">1. Make a key for it</h2>
          {made.data ? (
            <Secret value={made.data.key} />
          ) : (
            <Button variant="primary" disabled={made.isPending} onClick={() => make()}>
              <KeyRound /> Make a key
            </Button>
          )}
          {isOpen && (
            <p className="mt-2 text-muted-foreground">
              This server is open: a key is not needed, but tells agents apart.
            </p>
          )}
        </li>
        <li>
          <h2 className="mb-2">2. Connect it</h2>
          <Commands who={{ key, user: me.user.user_id, app: "first-agent" }} />
        </li>
        <li>
          <h2 className="mb-2">3. Have it remember something</h2>
          <div aria-live="polite">
            {hasArrived ? (
              <div className="flex flex-wrap items-center gap-3 rounded-md bg-good-soft px-3 py-2.5 text-good">
                <CircleCheck className="size-5" />
                <span className="font-medium">The first memory has arrived.</span>
                <Button size="small" className="ml-auto text-foreground" onClick={onDone}>
                  To the overview
                </Button>
              </div>
            ) : (
              <p className="flex items-center gap-2.5 rounded-md border border-dashed px-3 py-2.5 text-muted-foreground">
                <LoaderCircle className="size-4 animate-spin" /> Waiting for the first memory
              </p>
            )}
          </div>
        </li>
      </ol>
    </div>
  );
}
