"use client";

import { useQuery } from "@tanstack/react-query";
import { CircleUser, KeyRound, LogOut, Users } from "lucide-react";
import Link from "next/link";
import { api, body } from "@/api/client";
import { useOwner } from "@/api/owner";
import { useMe, useSession } from "@/api/session";
import { brief } from "@/format";
import { Button } from "../ui/button";
import {
  Menu,
  MenuContent,
  MenuItem,
  MenuLabel,
  MenuRadioGroup,
  MenuRadioItem,
  MenuSeparator,
  MenuTrigger,
} from "../ui/menu";
import { ThemeChoice } from "./theme";

const HOWS = { login: "Signed in", key: "By a key, until this page is left", open: "This server is open to everybody" };
const EVERYBODY = ""; // no user's name is empty

/** Who is signed in, their account, the theme, and the way out. */
export function UserMenu() {
  const { session, signOut } = useSession();
  const me = useMe();
  if (session.state !== "in") return null;
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button variant="ghost" size="icon" aria-label="Account and theme">
          <CircleUser />
        </Button>
      </MenuTrigger>
      <MenuContent align="end" className="w-60">
        <div className="px-2 py-1.5">
          <p className="truncate font-medium">{me.user.name ?? me.user.user_id}</p>
          <p className="text-xs text-muted-foreground">{HOWS[session.how]}</p>
        </div>
        <MenuSeparator />
        <ThemeChoice />
        <MenuSeparator />
        <MenuItem asChild>
          <Link href="/settings/account/">
            <KeyRound /> Account
          </Link>
        </MenuItem>
        {session.how !== "open" && (
          <MenuItem onSelect={() => void signOut()}>
            <LogOut /> Sign out
          </MenuItem>
        )}
      </MenuContent>
    </Menu>
  );
}

/** Whose memories are shown: admins choose. */
export function OwnerMenu() {
  const me = useMe();
  const { owner, choose } = useOwner();
  const isAdmin = me.scopes.includes("admin") && me.app === null;
  const users = useQuery({
    queryKey: ["users"],
    queryFn: () => body(api.GET("/users", { params: { query: { size: 100 } } })),
    enabled: isAdmin,
  });
  if (!isAdmin || !users.data || (users.data.total < 2 && owner === undefined)) return null;
  const shown = owner ? brief(owner, 24) : "Everybody";
  const named = new Set([...users.data.items.map((user) => user.user_id), ...(owner ? [owner] : [])]);
  return (
    <Menu>
      <MenuTrigger asChild>
        <Button variant="ghost" className="min-w-0 shrink px-2" aria-label={`Whose memories are shown: ${shown}`}>
          <Users />
          <span className="truncate max-sm:sr-only">{shown}</span>
        </Button>
      </MenuTrigger>
      <MenuContent align="end" className="max-w-72">
        <MenuLabel>Show the memories of</MenuLabel>
        <MenuRadioGroup value={owner ?? EVERYBODY} onValueChange={(value) => choose(value || undefined)}>
          <MenuRadioItem value={EVERYBODY}>Everybody</MenuRadioItem>
          {[...named].map((name) => (
            <MenuRadioItem key={name} value={name}>
              <span className="min-w-0 break-words">{name}</span>
            </MenuRadioItem>
          ))}
        </MenuRadioGroup>
      </MenuContent>
    </Menu>
  );
}
