"use client";

import { Ellipsis, Pencil, Trash2 } from "lucide-react";
import type { ReactNode } from "react";
import type { Key } from "@/api/keys";
import { type Column, Table } from "../settings/table";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Menu, MenuContent, MenuItem, MenuSeparator, MenuTrigger } from "../ui/menu";
import { standing } from "./expiry";
import { End, LastUse, Standing } from "./key-parts";

type KeyTableProps = {
  keys: Key[];
  showsOwner: boolean;
  mayChange: boolean;
  onRename: (key: Key) => void;
  onRevoke: (key: Key) => void;
};

export function KeyTable({ keys, showsOwner, mayChange, onRename, onRevoke }: KeyTableProps) {
  const columns: Column[] = [
    { id: "key", label: "Key" },
    ...(showsOwner ? [{ id: "owner", label: "User", from: "md" as const }] : []),
    { id: "may", label: "May", from: "md" },
    { id: "used", label: "Last used", from: "md" },
    { id: "made", label: "Made", from: "lg" },
    { id: "end", label: "Expires", from: "md" },
    { id: "actions", label: <span className="sr-only">Actions</span>, className: "w-10 py-1.5 text-right" },
  ];
  const cell = (key: Key, column: string): ReactNode => {
    if (column === "key") return <Name of={key} showsOwner={showsOwner} />;
    if (column === "owner") return <span className="break-words">{key.user_id}</span>;
    if (column === "may") return <Scopes of={key} />;
    if (column === "used") return <LastUse of={key} />;
    if (column === "made") return <Time at={key.created_at} />;
    if (column === "end") return <End of={key} />;
    return mayChange && <KeyMenu of={key} onRename={onRename} onRevoke={onRevoke} />;
  };
  return (
    <Table
      label="API keys"
      columns={columns}
      items={keys}
      idOf={(key) => key.id}
      isDimmed={(key) => standing(key) !== "good"}
      cell={cell}
    />
  );
}

function Name({ of, showsOwner }: { of: Key; showsOwner: boolean }) {
  return (
    <>
      <span className="flex flex-wrap items-center gap-x-2">
        <span className="font-medium break-words">{of.label}</span> <Standing of={of} />
      </span>
      <p className="text-xs break-words text-muted-foreground">
        <code className="font-mono">{of.prefix}…</code>
        {of.app_name ? ` · ${of.app_name} only` : " · any app"}
      </p>
      <div className="mt-1 text-xs text-muted-foreground md:hidden">
        {showsOwner && <p className="break-words">Of {of.user_id}</p>}
        <p className="my-0.5">
          <Scopes of={of} />
        </p>
        <p>
          Used <LastUse of={of} /> · {!of.revoked_at && "expires "}
          <End of={of} />
        </p>
      </div>
    </>
  );
}

function Scopes({ of }: { of: Key }) {
  return (
    <span className="inline-flex flex-wrap gap-1">
      {of.scopes.map((scope) => (
        <Badge key={scope} tone={scope === "admin" ? "warning" : "neutral"}>
          {scope}
        </Badge>
      ))}
    </span>
  );
}

type KeyMenuProps = { of: Key; onRename: (key: Key) => void; onRevoke: (key: Key) => void };

function KeyMenu({ of, onRename, onRevoke }: KeyMenuProps) {
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button variant="ghost" size="icon-small" aria-label={`Actions for ${of.label}`}>
          <Ellipsis />
        </Button>
      </MenuTrigger>
      <MenuContent align="end">
        <MenuItem onSelect={() => setTimeout(() => onRename(of))}>
          <Pencil /> Rename
        </MenuItem>
        {!of.revoked_at && (
          <>
            <MenuSeparator />
            <MenuItem className="text-danger [&_svg]:text-danger" onSelect={() => setTimeout(() => onRevoke(of))}>
              <Trash2 /> Revoke
            </MenuItem>
          </>
        )}
      </MenuContent>
    </Menu>
  );
}
