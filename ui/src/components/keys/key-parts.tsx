import type { Key } from "@/api/keys";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { standing } from "./expiry";

/** Whether a key is good no more. */
export function Standing({ of }: { of: Key }) {
  const now = standing(of);
  if (now === "good") return null;
  return <Badge tone={now === "revoked" ? "danger" : "warning"}>{now}</Badge>;
}

export function LastUse({ of }: { of: Key }) {
  return of.last_used_at ? <Time at={of.last_used_at} /> : <>never</>;
}

/** Until when it is good, or since when it is not. */
export function End({ of }: { of: Key }) {
  if (of.revoked_at)
    return (
      <>
        revoked <Time at={of.revoked_at} />
      </>
    );
  return of.expires_at ? <Time at={of.expires_at} /> : <>never</>;
}
