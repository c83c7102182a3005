"use client";

import { Plus, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { KEYS_A_PAGE, type Key, useKeys } from "@/api/keys";
import { useMayWrite } from "@/api/session";
import { End, LastUse, Standing } from "../keys/key-parts";
import { Section } from "../page-header";
import { Pager } from "../pager";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";

const CreateKeyDialog = dynamic(() => import("../keys/create-dialog").then((m) => m.CreateKeyDialog));
const RevokeDialog = dynamic(() => import("../keys/revoke-dialog").then((m) => m.RevokeDialog));

/** The keys that are bound to an app: made and revoked right here. */
export function AppKeys({ app }: { app: { id: string; name: string } }) {
  const [page, setPage] = useState(1);
  const keys = useKeys({ appId: app.id, showsRevoked: false, page });
  const mayWrite = useMayWrite();
  const [opened, setOpened] = useState<Key | "new" | null>(null);
  return (
    <Section
      title="Keys bound to it"
      aside={
        mayWrite &&
        !keys.isError && (
          <Button size="small" onClick={() => setOpened("new")}>
            <Plus /> New key
          </Button>
        )
      }
    >
      {keys.isError && <p className="text-muted-foreground">{keys.error.message}</p>}
      {keys.isPending && <Skeleton className="h-12 w-full" />}
      {keys.data?.total === 0 && (
        <p className="text-muted-foreground">None. A key that is bound to it can be nothing but this app.</p>
      )}
      <ul className="grid gap-2">
        {keys.data?.items.map((key) => (
          <li key={key.id} className="flex items-start gap-2">
            <div className="min-w-0 flex-1">
              <span className="font-medium break-words">{key.label}</span>{" "}
              <code className="font-mono text-xs text-muted-foreground">{key.prefix}…</code> <Standing of={key} />
              <p className="text-xs text-muted-foreground">
                {key.scopes.join(", ")} · used <LastUse of={key} />
                {key.expires_at && (
                  <>
                    {" "}
                    · expires <End of={key} />
                  </>
                )}
              </p>
            </div>
            {mayWrite && (
              <Button
                variant="ghost"
                size="icon-small"
                aria-label={`Revoke ${key.label}`}
                onClick={() => setOpened(key)}
              >
                <Trash2 />
              </Button>
            )}
          </li>
        ))}
      </ul>
      {keys.data && keys.data.total > KEYS_A_PAGE && (
        <Pager page={page} size={KEYS_A_PAGE} total={keys.data.total} onPage={setPage} />
      )}
      {opened === "new" && <CreateKeyDialog app={app} onClose={() => setOpened(null)} />}
      {opened !== null && opened !== "new" && <RevokeDialog revoked={opened} onClose={() => setOpened(null)} />}
    </Section>
  );
}
