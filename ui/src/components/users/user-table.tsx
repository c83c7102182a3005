"use client";

import { Ellipsis, KeyRound, Pencil, Trash2, UserCheck, UserX } from "lucide-react";
import type { ReactNode } from "react";
import type { User } from "@/api/users";
import { counted, grouped } from "@/format";
import { type Column, Table } from "../settings/table";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "../ui/menu";

export type UserAction = "edit" | "password" | "remove" | "deactivate" | "activate";
type UserTableProps = { users: User[]; me: string; onAct: (user: User, action: UserAction) => void };

const COLUMNS: Column[] = [
  { id: "user", label: "User" },
  { id: "memories", label: "Memories", from: "md", className: "text-right" },
  { id: "seen", label: "Last seen", from: "md" },
  { id: "since", label: "Since", from: "lg" },
  { id: "actions", label: <span className="sr-only">Actions</span>, className: "w-10 py-1.5 text-right" },
];

export function UserTable({ users, me, onAct }: UserTableProps) {
  const cell = (user: User, column: string): ReactNode => {
    if (column === "user") return <Who user={user} isMe={user.user_id === me} />;
    if (column === "memories") return <span className="tabular">{grouped(user.memories)}</span>;
    if (column === "seen") return <Seen user={user} />;
    if (column === "since") return <Time at={user.created_at} />;
    return <UserMenu user={user} isMe={user.user_id === me} onAct={onAct} />;
  };
  return (
    <Table
      label="Users"
      columns={COLUMNS}
      items={users}
      idOf={(user) => user.id}
      isDimmed={(user) => !user.is_active}
      cell={cell}
    />
  );
}

function Who({ user, isMe }: { user: User; isMe: boolean }) {
  return (
    <>
      <span className="flex flex-wrap items-center gap-x-2 gap-y-1">
        <span className="min-w-0 font-medium break-words">{user.name ?? user.user_id}</span>
        {isMe && <Badge>you</Badge>}
        {user.is_admin && <Badge tone="accent">administrator</Badge>}
        {!user.is_active && <Badge tone="warning">deactivated</Badge>}
      </span>
      <p className="text-xs break-words text-muted-foreground">
        {[user.name && user.user_id, user.email, user.has_password ? "signs in by password" : "no password"]
          .filter(Boolean)
          .join(" · ")}
      </p>
      <p className="mt-1 text-xs text-muted-foreground md:hidden">
        {counted(user.memories, "memory", "memories")} · seen <Seen user={user} />
      </p>
    </>
  );
}

function Seen({ user }: { user: User }) {
  return user.last_seen_at ? <Time at={user.last_seen_at} /> : <>never</>;
}

type MenuProps = { user: User; isMe: boolean; onAct: UserTableProps["onAct"] };

function UserMenu({ user, isMe, onAct }: MenuProps) {
  const act = (action: UserAction) => () => setTimeout(() => onAct(user, action));
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button variant="ghost" size="icon-small" aria-label={`Actions for ${user.user_id}`}>
          <Ellipsis />
        </Button>
      </MenuTrigger>
      <MenuContent align="end">
        <MenuItem onSelect={act("edit")}>
          <Pencil /> Edit
        </MenuItem>
        {!isMe && (
          <>
            <MenuItem onSelect={act("password")}>
              <KeyRound /> Set a password
            </MenuItem>
            <MenuItem onSelect={act(user.is_active ? "deactivate" : "activate")}>
              {user.is_active ? <UserX /> : <UserCheck />} {user.is_active ? "Deactivate" : "Activate again"}
            </MenuItem>
            <MenuSeparator />
            <MenuItem className="text-danger [&_svg]:text-danger" onSelect={act("remove")}>
              <Trash2 /> Remove
            </MenuItem>
          </>
        )}
      </MenuContent>
    </Menu>
  );
}
