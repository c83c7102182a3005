/** What requests are signed with. It is kept in memory alone: no script finds it again after the page is left.
 *
 * A login has a short-lived access token here and its refresh token in a cookie that only the server can read. A key
 * that may not start a login (bound to an app, or of fewer scopes) is kept here as it is, until the page is left.
 */

import type { Schemas } from "./client";
import { Store } from "./store";

type Held = { kind: "login"; token: string } | { kind: "key"; token: string } | { kind: "open" } | null;

const AUTH = "/api/v1/auth";
let held: Held = null;
let renewing: Promise<boolean> | null = null;

/** Whether the login that was there has ended, so that the person has to sign in again. */
export const ended = new Store(false);

function hold(value: Held): void {
  held = value;
  if (value) ended.set(false);
}

function sign(request: Request): Request {
  if (held && held.kind !== "open") request.headers.set("Authorization", `Bearer ${held.token}`);
  return request;
}

/** New tokens by the cookie; false if there is no login any more. All who ask at once share one answer. */
async function refresh(): Promise<boolean> {
  const answer = await oneAtATime(() => fetch(`${AUTH}/refresh`, { method: "POST", credentials: "same-origin" }));
  if (!answer.ok) return false;
  const signedIn = (await answer.json()) as Schemas["LoginOut"];
  hold({ kind: "login", token: signedIn.access_token });
  return true;
}

// One tab at a time, where the browser can tell tabs apart; elsewhere the server forgives the second.
async function oneAtATime(work: () => Promise<Response>): Promise<Response> {
  return navigator.locks ? await navigator.locks.request("commonplace.refresh", work) : await work();
}

/** Whether a request that was refused may be sent again. A login that cannot be renewed has ended. */
function renew(): Promise<boolean> {
  if (held?.kind !== "login") {
    if (held?.kind === "key") ended.set(true);
    return Promise.resolve(false);
  }
  renewing ??= refresh()
    .then((isNew) => {
      if (!isNew) {
        held = null;
        ended.set(true);
      }
      return isNew;
    })
    .catch(() => false)
    .finally(() => {
      renewing = null;
    });
  return renewing;
}

export const credential = { hold, sign, renew, refresh, kind: () => held?.kind ?? null };
