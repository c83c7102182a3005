/** Signing in and out, what happens when a session or the server ends, and the first run. */

import type { Browser, BrowserContext, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect, test } from "vitest";
import { KEY, launch, Server, signIn } from "./server";

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
  context = await browser.newContext();
  page = await context.newPage();
  page.setDefaultTimeout(15_000);
});
afterEach(() => context.close());

const open = (address: string) => page.goto(`${server.url}/dashboard${address}`);
const shell = () => page.getByRole("navigation", { name: "Pages of the dashboard" });

test("the first run makes a key, shows the commands, and turns green at the first memory", async () => {
  await signIn(page, server.url);
  await page.getByText("Waiting for the first memory").waitFor();
  await page.getByRole("button", { name: "Make a key" }).click();
  await page.getByText("This is the only time that it is shown").waitFor();
  expect(await page.getByTestId("command-mcp").textContent()).toContain(`${server.url}/mcp`);
  await page.getByRole("tab", { name: "REST" }).click();
  const command = (await page.getByTestId("command-rest").textContent()) ?? "";
  const key = /cp_[\w-]+/.exec(command)?.[0];
  const body = /-d '(.*)'/.exec(command)?.[1] ?? "";
  const answer = await fetch(`${server.url}/api/v1/memories`, {
    method: "POST",
    headers: { Authorization: `Bearer ${key}`, "Content-Type": "application/json" },
    body,
  });
  expect(answer.status).toBe(200);
  await page.getByText("The first memory has arrived.").waitFor();
  await page.getByRole("button", { name: "To the overview" }).click();
  await page.getByRole("heading", { name: "Overview" }).waitFor();
  await page.getByText("SQL 1 / index 1").waitFor();
});

test("a wrong key and a wrong password are refused in a sentence", async () => {
  await open("/login/");
  await page.getByLabel("API key", { exact: true }).and(page.locator("input")).fill("cp_wrong");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Invalid API key").waitFor();
  await page.getByRole("tab", { name: "Password" }).click();
  await page.getByLabel("User").fill("sam");
  await page.getByLabel("Password", { exact: true }).and(page.locator("input")).fill("not this one");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("Wrong user or password").waitFor();
});

test("who is not signed in comes back to the page that was wanted, with a password that was set", async () => {
  await signIn(page, server.url);
  await open("/settings/account/");
  await page.getByLabel("New password").fill("correct horse battery");
  await page.getByLabel("The same again").fill("correct horse battery");
  await page.getByRole("button", { name: /the password$/ }).click();
  await page.getByText("The password is set").waitFor();
  await page.getByRole("button", { name: "Account and theme" }).click();
  await page.getByRole("menuitem", { name: "Sign out" }).click();
  await page.waitForURL(/\/login\//);

  await open("/memories/?q=answers&size=20");
  await page.waitForURL(/\/login\/\?next=/);
  await page.getByRole("tab", { name: "Password" }).click();
  await page.getByLabel("User").fill("sam");
  await page.getByLabel("Password", { exact: true }).and(page.locator("input")).fill("correct horse battery");
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.waitForURL(/\/memories\/\?q=answers&size=20/);
});

test("an access token that has run out is renewed unseen; without a login it is back to signing in", async () => {
  await signIn(page, server.url);
  await open("/apps/");
  await page.getByRole("heading", { name: "Apps" }).waitFor();
  // The next request finds its token refused, once.
  let refused = 0;
  await page.route("**/api/v1/memories/categories*", (route) =>
    refused++ === 0 ? route.fulfill({ status: 401, body: "{}" }) : route.continue(),
  );
  await page.getByRole("link", { name: "Memories", exact: true }).click();
  await page.getByText("I prefer short answers.").waitFor();
  await expect.poll(() => refused).toBeGreaterThan(1);

  await context.clearCookies();
  await page.route("**/api/v1/memories/search", (route) => route.fulfill({ status: 401, body: "{}" }));
  await page.getByRole("searchbox", { name: "Search memories" }).fill("answers");
  await page.waitForURL(/\/login\/\?next=/);
  expect(new URL(page.url()).searchParams.get("next")).toBe("/memories/?q=answers");
});

test("two tabs that open at once both stay signed in", async () => {
  await signIn(page, server.url);
  const tabs = await Promise.all([context.newPage(), context.newPage(), context.newPage()]);
  await Promise.all(tabs.map((tab) => tab.goto(`${server.url}/dashboard/memories/`)));
  await Promise.all(tabs.map((tab) => tab.getByRole("heading", { name: "Memories" }).waitFor()));
  await page.reload();
  await shell().waitFor();
});

test("a key that is bound to an app is kept in memory alone, and is told what it may not see", async () => {
  const { key } = await server.ask<{ key: string }>("POST", "/api-keys", {
    label: "b",
    scopes: ["read"],
    app_name: "cursor",
  });
  await open("/login/");
  await page.getByLabel("API key", { exact: true }).and(page.locator("input")).fill(key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByText("You may not see this").waitFor(); // the figures of everybody
  await page.getByRole("link", { name: "Memories", exact: true }).click();
  await page.getByRole("heading", { name: "Memories" }).waitFor();
  expect(await page.getByRole("button", { name: "New memory" }).count()).toBe(0);
  expect(await page.evaluate(() => JSON.stringify({ ...localStorage, ...sessionStorage }))).not.toContain(key);
  await page.reload();
  await page.waitForURL(/\/login\//);
});

test("nothing of the login is where a script can read it", async () => {
  await signIn(page, server.url);
  const seen = await page.evaluate(() =>
    JSON.stringify({ ...localStorage, ...sessionStorage, cookie: document.cookie }),
  );
  expect(seen).not.toMatch(/eyJ|cp_/);
  const [cookie] = await context.cookies(`${server.url}/api/v1/auth`);
  expect(cookie).toMatchObject({ httpOnly: true, sameSite: "Strict", path: "/api/v1/auth" });
  expect(KEY).not.toBe("");
});

test("an app is paused and resumed", async () => {
  await server.remember("pausable", "by an app");
  await signIn(page, server.url);
  await open("/apps/?name=pausable");
  await page.getByRole("button", { name: "Pause pausable" }).click();
  await page.getByText("paused", { exact: true }).waitFor();
  await page.getByRole("link", { name: "pausable" }).click();
  await page.getByRole("button", { name: "Resume access" }).click();
  await page.getByText("It may read and write.").waitFor();
  await page.getByText("by an app").waitFor();
});

test("the search lab explains a hit and why another is none", async () => {
  const [id] = await server.remember("lab", "The heron waits by the mill pond.");
  await server.ask("POST", "/memories/actions/pause", { memory_ids: [id], state: "paused" });
  await server.remember("lab", "The mill pond freezes in January.");
  await signIn(page, server.url);
  await open("/search/");
  await page.getByRole("searchbox", { name: "Query" }).fill("mill pond");
  await page.getByRole("button", { name: "Search", exact: true }).click();
  await page.getByText("The mill pond freezes").waitFor();
  await page.getByText("similarity").first().waitFor();
  await page.getByLabel("A memory that you miss").fill(`${server.url}/dashboard/memory/?id=${id}`);
  await page.getByRole("button", { name: "Ask why" }).click();
  await page.getByRole("complementary", { name: "Why not" }).getByText("paused", { exact: true }).waitFor();
});

test("a server that is gone is said, and when it is back everything goes on", async () => {
  await signIn(page, server.url);
  await open("/memories/");
  await page.getByText("I prefer short answers.").waitFor();
  await server.down();
  await page.getByRole("searchbox", { name: "Search memories" }).fill("short");
  await page.getByText("What you see may be old").waitFor();
  await page.getByRole("link", { name: "Search lab" }).click(); // would be the browser's own error page
  await page.getByText("Wait until the server is back").waitFor();
  await server.up();
  await page.getByText("What you see may be old").waitFor({ state: "detached", timeout: 20_000 });
  await page.getByText("I prefer short answers.").waitFor();
});

test("an open server asks nobody to sign in", async () => {
  const opened = await Server.start({ AUTH_MODE: "open", ADMIN_API_KEY: "" });
  try {
    await page.goto(`${opened.url}/`);
    await page.getByText("Waiting for the first memory").waitFor();
    expect(page.url()).toBe(`${opened.url}/dashboard/`);
  } finally {
    await opened.stop();
  }
});

test("a search where everybody's memories are shown says that it is of one person", async () => {
  await server.ask("POST", "/memories", { user_id: "zoe", app: "notes", text: "Zoe keeps an otter.", infer: false });
  await signIn(page, server.url);
  await open("/memories/?q=otter");
  await page.getByText("among the active memories of sam").waitFor();
  await open("/search/?q=otter&mode=keyword");
  await page.getByText("A search is of one person's memories, here of sam's").waitFor();
  await page.getByRole("button", { name: "Whose memories" }).click();
  await page.getByRole("menuitemradio", { name: "zoe" }).click();
  await page.getByText("Zoe keeps an otter.").first().waitFor();
  expect(await page.getByText("A search is of one person").count()).toBe(0);
});
