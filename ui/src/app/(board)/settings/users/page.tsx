"use client";

import { Plus, Users as UsersIcon } from "lucide-react";
import dynamic from "next/dynamic";
import { parseAsInteger, parseAsString, useQueryStates } from "nuqs";
import { useState } from "react";
import { useMe } from "@/api/session";
import { USERS_A_PAGE, type User, useChangeUser, useUsers } from "@/api/users";
import { ConfirmDialog } from "@/components/confirm-dialog";
import { PageHeader } from "@/components/page-header";
import { Pager } from "@/components/pager";
import { TableLoading } from "@/components/settings/table";
import { Failure, Notice } from "@/components/states";
import { Button } from "@/components/ui/button";
import { Input } from "@/components/ui/field";
import { type UserAction, UserTable } from "@/components/users/user-table";
import { counted } from "@/format";

const forms = () => import("@/components/users/user-forms");
const CreateUserDialog = dynamic(() => forms().then((m) => m.CreateUserDialog));
const EditUserDialog = dynamic(() => forms().then((m) => m.EditUserDialog));
const PasswordDialog = dynamic(() => forms().then((m) => m.PasswordDialog));
const RemoveUserDialog = dynamic(() => import("@/components/users/remove-dialog").then((m) => m.RemoveUserDialog));

type Opened = { what: "create" } | { what: UserAction; user: User } | null;
const ADDRESS = { name: parseAsString.withDefault(""), page: parseAsInteger.withDefault(1) };

export default function Users() {
  const [{ name, page }, setWanted] = useQueryStates(ADDRESS);
  const me = useMe();
  const users = useUsers(name, page);
  const change = useChangeUser();
  const [opened, setOpened] = useState<Opened>(null);
  const close = () => setOpened(null);
  function act(user: User, what: UserAction) {
    if (what !== "activate") setOpened({ what, user });
    else
      change.mutate({ userId: user.user_id, change: { is_active: true }, done: `${user.user_id} may come in again` });
  }
  return (
    <>
      <PageHeader
        title="Users"
        note={users.data ? `${counted(users.data.total, "user")}, each with memories of their own` : "\u00a0"}
        actions={
          !users.isError && (
            <Button variant="primary" onClick={() => setOpened({ what: "create" })}>
              <Plus /> New user
            </Button>
          )
        }
      />
      {users.isError && <Failure error={users.error} retry={() => void users.refetch()} />}
      {!users.isError && (
        <search className="mb-3 block">
          <Input
            type="search"
            aria-label="Find users by name, id or email"
            placeholder="Find by name, id or email"
            className="h-8 sm:w-72"
            value={name}
            onChange={(event) => void setWanted({ name: event.target.value, page: 1 })}
          />
        </search>
      )}
      {users.isPending && <TableLoading />}
      {users.data?.total === 0 && <Notice icon={<UsersIcon />} title="Nobody matches" />}
      {users.data && users.data.total > 0 && <UserTable users={users.data.items} me={me.user.user_id} onAct={act} />}
      {users.data && users.data.total > USERS_A_PAGE && (
        <Pager
          page={page}
          size={USERS_A_PAGE}
          total={users.data.total}
          onPage={(next) => void setWanted({ page: next })}
        />
      )}
      {opened?.what === "create" && <CreateUserDialog onClose={close} />}
      {opened?.what === "edit" && (
        <EditUserDialog user={opened.user} isMe={opened.user.user_id === me.user.user_id} onClose={close} />
      )}
      {opened?.what === "password" && <PasswordDialog user={opened.user} onClose={close} />}
      {opened?.what === "remove" && <RemoveUserDialog user={opened.user} onClose={close} />}
      {opened?.what === "deactivate" && (
        <ConfirmDialog
          title={`Deactivate ${opened.user.user_id}?`}
          action="Deactivate"
          onClose={close}
          onConfirm={() => {
            const userId = opened.user.user_id;
            change.mutate({ userId, change: { is_active: false }, done: `${userId} is shut out` });
            close();
          }}
        >
          <p>
            Their sessions end and their keys are refused until they are activated again. What they have stays as it is.
          </p>
        </ConfirmDialog>
      )}
    </>
  );
}
