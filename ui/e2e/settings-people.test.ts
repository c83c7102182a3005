/** People and programs: keys, users, sessions, and what an app may see. */

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { launch, Server, signIn } from "./server";
import { expectNoFailure, opened } from "./stage";

const PASSWORD = "correct horse battery";
let server: Server;
let browser: Browser;
let context: BrowserContext;
let page: Page;

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});
beforeEach(async () => {
  context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  page = await opened(context);
  await signIn(page, server.url);
});
afterEach(async () => {
  await context.close();
  expectNoFailure();
});

const open = (address: string, on = page) => on.goto(`${server.url}/dashboard${address}`);
const row = (text: string) => page.getByRole("row").filter({ hasText: text });
const dialog = () => page.getByRole("dialog").or(page.getByRole("alertdialog"));

/** A request with a key: the status, and the memories' texts if it was a search. */
async function asked(key: string, path: string, body?: unknown): Promise<{ status: number; texts: string[] }> {
  const answer = await fetch(`${server.url}/api/v1${path}`, {
    method: body ? "POST" : "GET",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body: body ? JSON.stringify(body) : undefined,
  });
  const found = (await answer.json()) as { results?: { content: string }[] };
  return { status: answer.status, texts: (found.results ?? []).map(({ content }) => content) };
}

async function signInByPassword(user: string, password: string, on: Page): Promise<void> {
  await open("/login/", on);
  await on.getByRole("tab", { name: "Password" }).click();
  await on.getByLabel("User").fill(user);
  await on.getByLabel("Password", { exact: true }).and(on.locator("input")).fill(password);
  await on.getByRole("button", { name: "Sign in" }).click();
  await on.getByRole("navigation", { name: "Pages of the dashboard" }).waitFor();
}

/** Somebody whose session has ended goes on: by a link, unless the page has noticed first and there is none any more. */
async function isSentToSignIn(on: Page): Promise<void> {
  await on
    .getByRole("link", { name: "Memories", exact: true })
    .click({ timeout: 2_000 })
    .catch(() => undefined);
  await on.waitForURL(/\/login\//);
}

async function act(on: string, what: string): Promise<void> {
  await page.getByRole("button", { name: `Actions for ${on}`, exact: true }).click();
  await page.getByRole("menuitem", { name: what }).click();
}

test("a key is made, shown once, used, renamed, and refused once it is revoked", async () => {
  await open("/settings/keys/");
  await page.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Label").fill("laptop");
  await page.getByLabel("App", { exact: true }).fill("cursor");
  await page.getByLabel("Expires").selectOption({ label: "In 90 days" });
  await page.getByRole("button", { name: "Make the key" }).click();
  await page.getByText("This is the only time that it is shown").waitFor();
  const key = /cp_[\w-]+/.exec((await page.getByTestId("command-mcp").textContent()) ?? "")?.[0] ?? "";
  await page.getByRole("tab", { name: "MCP, as JSON" }).click();
  const file = JSON.parse((await page.getByTestId("command-json").textContent()) ?? "{}");
  expect(file.mcpServers.commonplace.headers.Authorization).toBe(`Bearer ${key}`);
  await page.keyboard.press("Escape"); // a slip does not take it away
  await page.getByRole("tab", { name: "REST" }).click();
  const command = (await page.getByTestId("command-rest").textContent()) ?? "";
  expect(command).not.toContain('"app"'); // the key is bound to one
  expect((await asked(key, "/memories", JSON.parse(/-d '(.*)'/.exec(command)?.[1] ?? "{}"))).status).toBe(200);
  await page.getByRole("button", { name: "I have kept it" }).click();

  await row("laptop").getByText("cursor only").waitFor();
  await row("laptop").getByRole("cell", { name: "in 2 months", exact: true }).waitFor();
  expect(await page.content()).not.toContain(key);
  await act("laptop", "Rename");
  await page.getByLabel("Label").fill("old laptop");
  await page.getByRole("button", { name: "Rename" }).click();
  await row("old laptop").waitFor();

  await act("old laptop", "Revoke");
  await dialog()
    .getByText(/It was last used .* by cursor/)
    .waitFor();
  await page.getByRole("button", { name: "Revoke the key" }).click();
  await row("old laptop").waitFor({ state: "detached" });
  expect((await asked(key, "/memories")).status).toBe(401);
  await page.getByRole("switch", { name: "Show revoked keys" }).click();
  await row("old laptop").getByText("revoked", { exact: true }).waitFor();
});

test("a key that has expired is refused, and says so", async () => {
  const end = new Date(Date.now() + 5_000);
  const made = await server.ask<{ key: string }>("POST", "/api-keys", {
    label: "brief",
    expires_at: end.toISOString(),
  });
  expect((await asked(made.key, "/memories")).status).toBe(200);
  await expect.poll(async () => (await asked(made.key, "/memories")).status, { timeout: 15_000 }).toBe(401);
  await open("/settings/keys/");
  await row("brief").getByText("expired", { exact: true }).waitFor();
});

test("a user is made, signs in, sees nothing of others, and revokes their own key", async () => {
  await server.remember("vault", "The owner's safe is behind the painting.");
  await open("/settings/users/");
  await page.getByRole("button", { name: "New user" }).click();
  await page.getByLabel("User id").fill("ann");
  await page.getByLabel("Name", { exact: true }).fill("Ann Example");
  await page.getByLabel("Password").fill("short");
  await page.getByRole("button", { name: "Make the user" }).click(); // the browser says that it is too short
  await page.getByLabel("Password").fill(PASSWORD);
  await page.getByRole("button", { name: "Make the user" }).click();
  await row("Ann Example").getByText("signs in by password").waitFor();

  const theirs = await browser.newContext();
  const ann = await opened(theirs);
  await signInByPassword("ann", PASSWORD, ann);
  await open("/memories/", ann);
  await ann.getByText("No memories yet").or(ann.getByText("Nothing")).first().waitFor();
  expect(await ann.getByText("behind the painting").count()).toBe(0);
  expect(await ann.getByRole("link", { name: "Users" }).count()).toBe(0);
  await open("/settings/users/", ann);
  await ann.getByText("You may not see this").waitFor();
  await open("/settings/keys/", ann);
  await ann.getByText("No keys").waitFor();
  await ann.getByRole("button", { name: "New key" }).click();
  expect(await ann.getByLabel("Administer").count()).toBe(0);
  await ann.getByLabel("Label").fill("of ann");
  await ann.getByRole("button", { name: "Make the key" }).click();
  await ann.getByRole("button", { name: "I have kept it" }).click();
  await ann.getByRole("button", { name: "Actions for of ann" }).click();
  await ann.getByRole("menuitem", { name: "Revoke" }).click();
  await ann.getByRole("button", { name: "Revoke the key" }).click();
  await ann.getByText("No keys").waitFor();
  await theirs.close();
});

test("a new password ends the user's sessions, and is the one that counts", async () => {
  await server.ask("POST", "/users", { user_id: "bea", password: PASSWORD });
  const theirs = await browser.newContext();
  const bea = await opened(theirs);
  await signInByPassword("bea", PASSWORD, bea);
  await open("/settings/users/?name=bea");
  await act("bea", "Set a password");
  await page.getByLabel("New password").fill("another horse battery");
  await page.getByRole("button", { name: "Set the password" }).click();
  await page.getByText("bea has a new password").waitFor();
  await isSentToSignIn(bea);
  const login = (password: string) => asked("", "/auth/login", { user_id: "bea", password });
  expect((await login(PASSWORD)).status).toBe(401);
  await signInByPassword("bea", "another horse battery", bea);
  await theirs.close();
});

test("a user is deactivated, comes back, and is removed with what they had", async () => {
  await server.ask("POST", "/users", { user_id: "cal" });
  const { key } = await server.ask<{ key: string }>("POST", "/api-keys", { label: "c", user_id: "cal" });
  await asked(key, "/memories", { text: "Cal has a canoe.", infer: false });
  await open("/settings/users/?name=cal");
  await act("cal", "Deactivate");
  await page.getByRole("button", { name: "Deactivate" }).click();
  await row("cal").getByText("deactivated").waitFor();
  // The page says so before the server has: that it has is waited for.
  await expect.poll(async () => (await asked(key, "/memories")).status).toBe(401);
  await act("cal", "Activate again");
  await row("cal").getByText("deactivated").waitFor({ state: "detached" });
  await expect.poll(async () => (await asked(key, "/memories")).status).toBe(200);

  await act("cal", "Remove");
  await dialog().getByText("With them go 1 memory").waitFor();
  const remove = page.getByRole("button", { name: "Remove for good" });
  expect(await remove.isDisabled()).toBe(true);
  await page.getByLabel("Type cal to go on").fill("cal");
  await remove.click();
  await page.getByText("Nobody matches").waitFor();
  await expect.poll(async () => (await asked(key, "/memories")).status).toBe(401);
});

test("another session is ended from here, and that browser is sent to sign in", async () => {
  const elsewhere = await browser.newContext({ userAgent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Firefox/140.0" });
  const other = await opened(elsewhere);
  await signIn(other, server.url);
  await open("/settings/sessions/");
  await page.getByText("this one").waitFor();
  await page.getByRole("button", { name: "End the session of Firefox on Linux" }).first().click();
  await page.getByRole("button", { name: "End the session", exact: true }).click();
  await page.getByText("Signed out there").waitFor();
  await isSentToSignIn(other);

  await signIn(other, server.url);
  await page.reload();
  await page.getByRole("button", { name: "Sign out everywhere else" }).click();
  await page.getByRole("button", { name: "End all others" }).click();
  await page.getByText(/Signed out of \d+ other session/).waitFor();
  await page.getByRole("button", { name: "Sign out everywhere else" }).waitFor({ state: "detached" });
  await other.reload();
  await other.waitForURL(/\/login\//);
  await page.getByText("None. An MCP client").waitFor();
  await elsewhere.close();
});

test("an access rule hides a memory from an app, made and taken away on either page", async () => {
  const [hidden] = await server.remember("harbour", "The harbour key hangs behind the clock.");
  await server.remember("harbour", "The harbour opens at dawn.");
  const { key, app_id } = await server.ask<{ key: string; app_id: string }>("POST", "/api-keys", {
    label: "h",
    app_name: "harbour",
  });
  const seen = async () => (await asked(key, "/memories/search", { query: "harbour", mode: "keyword" })).texts.sort();
  const both = ["The harbour key hangs behind the clock.", "The harbour opens at dawn."];
  expect(await seen()).toEqual(both);

  await open(`/app/?id=${app_id}`);
  await page.getByRole("tab", { name: "Access rules" }).click();
  await page.getByText("It sees everything").waitFor();
  await page.getByLabel("Hide or allow one memory").fill("harbour key");
  await page.getByRole("button", { name: "Hide The harbour key" }).click();
  await page.getByText("It sees everything but what is hidden below").waitFor();
  expect(await seen()).toEqual(both.slice(1));
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("It sees everything", { exact: true }).waitFor();
  expect(await seen()).toEqual(both);

  await page.getByRole("button", { name: "Hide everything" }).click();
  await page.getByText("It sees nothing").waitFor();
  expect(await seen()).toEqual([]);
  await page.getByRole("button", { name: "Show again" }).click();
  await page.getByText("It sees everything", { exact: true }).waitFor();

  await open(`/memory/?id=${hidden}`);
  await page.getByRole("button", { name: "Hide it from harbour" }).click();
  await page.getByRole("region", { name: "Who may see it" }).getByText("no: hidden from it").waitFor();
  expect(await seen()).toEqual(both.slice(1));
  await page.getByRole("button", { name: "Show it to harbour" }).click();
  await page.getByRole("button", { name: "Hide it from harbour" }).waitFor();
  expect(await seen()).toEqual(both);
});

test("an app's keys are made and revoked on its page", async () => {
  await server.remember("quay", "By the quay.");
  const { apps } = await server.ask<{ apps: { id: string }[] }>("GET", "/apps?name=quay");
  await open(`/app/?id=${apps[0]?.id}`);
  const keys = page.getByRole("region", { name: "Keys bound to it" });
  await keys.getByRole("button", { name: "New key" }).click();
  await page.getByLabel("Label").fill("quay's own");
  await page.getByRole("checkbox", { name: "Write" }).click();
  await page.getByRole("button", { name: "Make the key" }).click();
  const key = /cp_[\w-]+/.exec((await page.getByTestId("command-mcp").textContent()) ?? "")?.[0] ?? "";
  await page.getByRole("button", { name: "I have kept it" }).click();
  await keys.getByText("quay's own").waitFor();
  expect((await asked(key, "/memories", { text: "x" })).status).toBe(403); // it may only read
  expect((await asked(key, "/memories/search", { query: "quay", mode: "keyword" })).texts).toEqual(["By the quay."]);
  await keys.getByRole("button", { name: "Revoke quay's own" }).click();
  await page.getByRole("button", { name: "Revoke the key" }).click();
  await keys.getByText("quay's own").waitFor({ state: "detached" });
  expect((await asked(key, "/memories")).status).toBe(401);
});
