"use client";

/** Whose memories are shown: one's own; for an admin everybody's, or those of the user who was chosen. */

import { createContext, type ReactNode, useCallback, useContext, useMemo, useState } from "react";
import { useMe } from "./session";

type Owner = {
  /** `user_id` of requests; undefined means everybody. */
  owner: string | undefined;
  /** Whom a new memory is for. */
  writesFor: string;
  isEverybody: boolean;
  choose: (owner: string | undefined) => void;
};

const KEPT = "commonplace.owner";
const OwnerContext = createContext<Owner | null>(null);

export function OwnerProvider({ children }: { children: ReactNode }) {
  const me = useMe();
  const [chosen, setChosen] = useState<string | undefined>(() => localStorage.getItem(KEPT) ?? undefined);
  const isAdmin = me.scopes.includes("admin") && me.app === null;
  const choose = useCallback((owner: string | undefined) => {
    if (owner) localStorage.setItem(KEPT, owner);
    else localStorage.removeItem(KEPT);
    setChosen(owner);
  }, []);
  const value = useMemo(() => {
    const owner = isAdmin ? chosen : me.user.user_id;
    return { owner, writesFor: owner ?? me.user.user_id, isEverybody: owner === undefined, choose };
  }, [isAdmin, chosen, me, choose]);
  return <OwnerContext.Provider value={value}>{children}</OwnerContext.Provider>;
}

/** Whose memories are shown. */
export function useOwner(): Owner {
  const value = useContext(OwnerContext);
  if (!value) throw new Error("useOwner outside of OwnerProvider");
  return value;
}
