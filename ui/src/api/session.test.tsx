import { QueryClient, QueryClientProvider } from "@tanstack/react-query";
import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { api, body } from "./client";
import { credential, ended } from "./credential";
import { SessionProvider, useSession } from "./session";

function json(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value), { status, headers: { "Content-Type": "application/json" } });
}

const ME = { user: { user_id: "sam" }, scopes: ["read"], app: null, is_person: true };

/** A server that knows the token `good`, and answers who asks `/auth/me` without one when `answer` is called. */
function slowToRefuse(): { answer: () => void } {
  let answer = () => {};
  const refused = new Promise<void>((done) => {
    answer = done;
  });
  vi.stubGlobal("fetch", async (input: RequestInfo | URL) => {
    const path = typeof input === "string" ? input : new URL((input as Request).url).pathname;
    if (path.endsWith("/refresh")) return json(401, {});
    if (path.endsWith("/login")) return json(200, { access_token: "good", expires_in: 900 });
    if ((input as Request).headers.get("Authorization") === "Bearer good") return json(200, ME);
    await refused;
    return json(401, { detail: "Missing credentials" });
  });
  return { answer };
}

function Page() {
  const { session, signIn } = useSession();
  return (
    <>
      <p role="status">{session.state === "in" ? session.me.user.user_id : session.state}</p>
      <button type="button" onClick={() => void signIn({ api_key: "cp_x" })}>
        Sign in
      </button>
    </>
  );
}

function show() {
  render(
    <QueryClientProvider client={new QueryClient()}>
      <SessionProvider>
        <Page />
      </SessionProvider>
    </QueryClientProvider>,
  );
}

beforeEach(() => credential.hold(null));
afterEach(() => {
  vi.unstubAllGlobals();
  ended.set(false);
});

test("who signs in before the server has said that nobody was is signed in, and stays it", async () => {
  const server = slowToRefuse();
  show();
  await userEvent.click(screen.getByRole("button"));
  server.answer();
  await screen.findByText("sam");
  await new Promise((done) => setTimeout(done)); // whatever is still to come has come
  expect(screen.getByRole("status").textContent).toBe("sam");
  expect(await body(api.GET("/auth/me"))).toEqual(ME);
});

test("nobody is signed in where the server knows neither the cookie nor strangers", async () => {
  const server = slowToRefuse();
  show();
  expect(screen.getByRole("status").textContent).toBe("starting");
  server.answer();
  await screen.findByText("out");
});
