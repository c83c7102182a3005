"use client";

/** Who is signed in, how, and what they may. */

import { useQueryClient } from "@tanstack/react-query";
import {
  createContext,
  type ReactNode,
  useCallback,
  useContext,
  useEffect,
  useMemo,
  useRef,
  useState,
  useSyncExternalStore,
} from "react";
import { ApiError, api, body, Offline, type Schemas } from "./client";
import { connection } from "./connection";
import { credential, ended } from "./credential";

export type Me = Schemas["MeOut"];
/** `open`: AUTH_MODE=open, where nobody signs in. `key`: a key that is kept until the page is left. */
export type How = "login" | "key" | "open";
export type Session = { state: "starting" } | { state: "out" } | { state: "in"; me: Me; how: How };

type SessionTools = {
  session: Session;
  signIn: (shown: { user_id: string; password: string } | { api_key: string }) => Promise<void>;
  signOut: () => Promise<void>;
  reload: () => Promise<void>;
};

const SessionContext = createContext<SessionTools | null>(null);

async function whoAmI(how: How): Promise<Session> {
  return { state: "in", me: await body(api.GET("/auth/me")), how };
}

/** Whoever is signed in already: by the cookie, else everybody where the server is open. */
async function found(): Promise<Session> {
  if (await credential.refresh().catch(unreachable)) return whoAmI("login");
  try {
    const everybody = await whoAmI("open");
    credential.hold({ kind: "open" });
    return everybody;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    return { state: "out" };
  }
}

function unreachable(): never {
  connection.set(false);
  throw new Offline();
}

export function SessionProvider({ children }: { children: ReactNode }) {
  const [session, setSession] = useState<Session>({ state: "starting" });
  const isUp = useSyncExternalStore(connection.follow, connection.get, () => true);
  const hasEnded = useSyncExternalStore(ended.follow, ended.get, () => false);
  const queries = useQueryClient();
  const looking = useRef<Promise<unknown>>(Promise.resolve());

  useEffect(() => {
    if (session.state !== "starting" || !isUp) return;
    let isCurrent = true;
    const looked = found().then(
      (now) => isCurrent && setSession(now),
      () => undefined, // the banner says so, and asks until the server is back
    );
    looking.current = Promise.all([looking.current, looked]);
    return () => {
      isCurrent = false;
    };
  }, [session.state, isUp]);

  useEffect(() => {
    if (!hasEnded) return;
    setSession({ state: "out" });
    queries.clear();
  }, [hasEnded, queries]);

  const signIn = useCallback<SessionTools["signIn"]>(
    async (shown) => {
      await looking.current; // else the answer that nobody is signed in would come after, and hold
      const now = await signedIn(shown);
      queries.clear();
      setSession(now);
    },
    [queries],
  );

  const signOut = useCallback(async () => {
    await body(api.POST("/auth/logout", {})).catch(() => undefined); // gone from here, whatever the server says
    credential.hold(null);
    queries.clear();
    setSession({ state: "out" });
  }, [queries]);

  const reload = useCallback(async () => {
    if (session.state === "in") setSession(await whoAmI(session.how));
  }, [session]);

  const tools = useMemo(() => ({ session, signIn, signOut, reload }), [session, signIn, signOut, reload]);
  return <SessionContext.Provider value={tools}>{children}</SessionContext.Provider>;
}

async function signedIn(shown: Parameters<SessionTools["signIn"]>[0]): Promise<Session> {
  try {
    const login = await body(api.POST("/auth/login", { body: { ...shown, cookie_only: true } }));
    credential.hold({ kind: "login", token: login.access_token });
    return await whoAmI("login");
  } catch (error) {
    // A key that may less than its user starts no login, but works.
    if (!("api_key" in shown) || !(error instanceof ApiError) || error.status !== 403) throw error;
    credential.hold({ kind: "key", token: shown.api_key });
    return whoAmI("key");
  }
}

/** The session and what changes it. */
export function useSession(): SessionTools {
  const tools = useContext(SessionContext);
  if (!tools) throw new Error("useSession outside of SessionProvider");
  return tools;
}

/** Who is signed in; for what is only shown to somebody who is. */
export function useMe(): Me {
  const { session } = useSession();
  if (session.state !== "in") throw new Error("useMe before anybody is signed in");
  return session.me;
}

/** Whether the caller may write. */
export function useMayWrite(): boolean {
  return useMe().scopes.includes("write");
}
