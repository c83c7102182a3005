"use client";

import { MonitorSmartphone } from "lucide-react";
import { useState } from "react";
import { LOGINS_A_PAGE, type Login, useEndLogin, useEndOtherLogins, useLogins } from "@/api/logins";
import { useMayWrite, useSession } from "@/api/session";
import { ConfirmDialog } from "../confirm-dialog";
import { Section } from "../page-header";
import { Pager } from "../pager";
import { Failure } from "../states";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";
import { device } from "./device";

/** Where one is signed in, this place marked, each to be ended. */
export function LoginList() {
  const [page, setPage] = useState(1);
  const logins = useLogins(page);
  const mayWrite = useMayWrite();
  const [asked, setAsked] = useState<Login | "others" | null>(null);
  const found = logins.data;
  const hasOthers = found && (found.total > 1 || found.items.some((login) => !login.is_this_one));
  return (
    <Section
      title="Where you are signed in"
      aside={
        hasOthers &&
        mayWrite && (
          <Button size="small" onClick={() => setAsked("others")}>
            Sign out everywhere else
          </Button>
        )
      }
    >
      {logins.isError && <Failure error={logins.error} retry={() => void logins.refetch()} />}
      {logins.isPending && <Skeleton className="h-32 w-full" />}
      {found?.total === 0 && (
        <p className="text-muted-foreground">
          Nowhere: you came in by a key or by an open door, which starts no session.
        </p>
      )}
      <ul>
        {found?.items.map((login) => (
          <Line key={login.id} login={login} mayEnd={mayWrite} onEnd={() => setAsked(login)} />
        ))}
      </ul>
      {found && found.total > LOGINS_A_PAGE && (
        <Pager page={page} size={LOGINS_A_PAGE} total={found.total} onPage={setPage} />
      )}
      {asked && <Ask what={asked} onClose={() => setAsked(null)} />}
    </Section>
  );
}

function Line({ login, mayEnd, onEnd }: { login: Login; mayEnd: boolean; onEnd: () => void }) {
  const name = device(login.user_agent);
  const { signOut } = useSession();
  return (
    <li className="flex items-start gap-3 border-b py-3">
      <MonitorSmartphone className="mt-0.5 size-4 shrink-0 text-muted-foreground" />
      <div className="min-w-0 flex-1">
        <p className="flex flex-wrap items-center gap-2">
          <span className="font-medium break-words" title={login.user_agent ?? undefined}>
            {name}
          </span>
          {login.is_this_one && <Badge tone="good">this one</Badge>}
        </p>
        <p className="text-xs text-muted-foreground">
          Signed in <Time at={login.created_at} /> · last active <Time at={login.last_used_at} /> · ends{" "}
          <Time at={login.expires_at} />
        </p>
      </div>
      {login.is_this_one ? (
        <Button size="small" onClick={() => void signOut()}>
          Sign out
        </Button>
      ) : (
        mayEnd && (
          <Button size="small" aria-label={`End the session of ${name}`} onClick={onEnd}>
            End
          </Button>
        )
      )}
    </li>
  );
}

function Ask({ what, onClose }: { what: Login | "others"; onClose: () => void }) {
  const end = useEndLogin();
  const endOthers = useEndOtherLogins();
  const done = (work: () => void) => () => {
    work();
    onClose();
  };
  if (what === "others") {
    return (
      <ConfirmDialog
        title="Sign out everywhere else?"
        action="End all others"
        onConfirm={done(() => endOthers.mutate())}
        onClose={onClose}
      >
        <p>Every session but this one ends with its next request. Keys, and clients that you allowed, go on.</p>
      </ConfirmDialog>
    );
  }
  return (
    <ConfirmDialog
      title={`Sign out ${device(what.user_agent)}?`}
      action="End the session"
      onConfirm={done(() => end.mutate(what.id))}
      onClose={onClose}
    >
      <p>Whoever uses it has to sign in again. If that was not you, change your password, too.</p>
    </ConfirmDialog>
  );
}
