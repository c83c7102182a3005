"use client";

import { KeyRound, Plus } from "lucide-react";
import dynamic from "next/dynamic";
import { parseAsBoolean, parseAsInteger, useQueryStates } from "nuqs";
import { useState } from "react";
import { KEYS_A_PAGE, type Key, useKeys } from "@/api/keys";
import { useOwner } from "@/api/owner";
import { useMayWrite } from "@/api/session";
import { KeyTable } from "@/components/keys/key-table";
import { PageHeader } from "@/components/page-header";
import { Pager } from "@/components/pager";
import { TableLoading } from "@/components/settings/table";
import { Failure, Notice } from "@/components/states";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/switch";

const CreateKeyDialog = dynamic(() => import("@/components/keys/create-dialog").then((m) => m.CreateKeyDialog));
const RevokeDialog = dynamic(() => import("@/components/keys/revoke-dialog").then((m) => m.RevokeDialog));
const RenameDialog = dynamic(() => import("@/components/keys/rename-dialog").then((m) => m.RenameDialog));

type Opened = { what: "create" } | { what: "revoke" | "rename"; key: Key } | null;
const ADDRESS = { revoked: parseAsBoolean.withDefault(false), page: parseAsInteger.withDefault(1) };

export default function Keys() {
  const [{ revoked, page }, setWanted] = useQueryStates(ADDRESS);
  const { owner, isEverybody } = useOwner();
  const mayWrite = useMayWrite();
  const keys = useKeys({ owner, showsRevoked: revoked, page });
  const [opened, setOpened] = useState<Opened>(null);
  const close = () => setOpened(null);
  return (
    <>
      <PageHeader
        title="API keys"
        note={
          isEverybody
            ? "Of all users. What agents and programs sign in with."
            : "What agents and programs sign in with."
        }
        actions={
          mayWrite && (
            <Button variant="primary" onClick={() => setOpened({ what: "create" })}>
              <Plus /> New key
            </Button>
          )
        }
      />
      <div className="mb-3 flex items-center gap-2">
        <Switch id="revoked" checked={revoked} onCheckedChange={(isOn) => void setWanted({ revoked: isOn, page: 1 })} />
        <label htmlFor="revoked">Show revoked keys</label>
      </div>
      {keys.isError && <Failure error={keys.error} retry={() => void keys.refetch()} />}
      {keys.isPending && <TableLoading />}
      {keys.data?.total === 0 && (
        <Notice icon={<KeyRound />} title="No keys">
          Make one for each agent: then each can be told apart, bound to its app, and revoked by itself.
        </Notice>
      )}
      {keys.data && keys.data.total > 0 && (
        <>
          <KeyTable
            keys={keys.data.items}
            showsOwner={isEverybody}
            mayChange={mayWrite}
            onRename={(key) => setOpened({ what: "rename", key })}
            onRevoke={(key) => setOpened({ what: "revoke", key })}
          />
          {keys.data.total > KEYS_A_PAGE && (
            <Pager
              page={page}
              size={KEYS_A_PAGE}
              total={keys.data.total}
              onPage={(next) => void setWanted({ page: next })}
            />
          )}
        </>
      )}
      {opened?.what === "create" && <CreateKeyDialog onClose={close} />}
      {opened?.what === "revoke" && <RevokeDialog revoked={opened.key} onClose={close} />}
      {opened?.what === "rename" && <RenameDialog renamed={opened.key} onClose={close} />}
    </>
  );
}
