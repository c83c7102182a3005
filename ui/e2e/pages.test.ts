/** Every page in both themes and on a phone: nobody is shut out (axe), nothing sticks out, and a picture to look at. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { gzipSync } from "node:zlib";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, describe, expect, test } from "vitest";
import { launch, Server, signIn } from "./server";

const UI = join(import.meta.dirname, "..");
const AXE = readFileSync(join(UI, "node_modules/axe-core/axe.min.js"), "utf8");
const PICTURES = join(UI, "screenshots");
const SIZES = [
  { name: "wide", width: 1280, height: 860 },
  { name: "phone", width: 360, height: 760 },
];
const BUDGET = 250_000; // bytes of JavaScript, compressed, that the memories page starts with

let server: Server;
let browser: Browser;
let memory: string;
let app: string;

const PAGES: [string, () => string][] = [
  ["overview", () => "/"],
  ["memories", () => "/memories/"],
  ["memories-found", () => "/memories/?q=deploy"],
  ["memory", () => `/memory/?id=${memory}`],
  ["apps", () => "/apps/"],
  ["app", () => `/app/?id=${app}`],
  ["search", () => "/search/?q=when+may+we+deploy"],
  ["settings", () => "/settings/"],
  ["settings-account", () => "/settings/account/"],
  ["settings-sessions", () => "/settings/sessions/"],
  ["settings-keys", () => "/settings/keys/?revoked=true"],
  ["settings-users", () => "/settings/users/"],
];

beforeAll(async () => {
  [server, browser] = await Promise.all([Server.start(), launch()]);
  const texts = [
    "Deploys on Fridays after noon need a second approval.",
    "Ann prefers window seats and vegetarian meals on long flights.",
    "The staging database is refreshed every Monday night; anything written there on Mondays is lost. "
      .repeat(6)
      .trim(),
    "Use pnpm, not npm, in the storefront repository.",
    "Bob's birthday is on 3 October; he collects fountain pens.",
    "https://example.org/a/rather/long/address/that/has/nowhere/to/break?and=a&lot=of&parameters=in&it=all",
  ];
  const ids = await server.remember("claude-code", ...texts);
  await server.remember(
    "cursor",
    "The quarterly report is due on the first Friday after the month ends.",
    "Allergic to penicillin.",
  );
  memory = ids[0] ?? "";
  await server.ask("PUT", `/memories/${memory}`, {
    memory_content: "Deploys on Fridays after 11:00 need two approvals.",
  });
  await server.ask("POST", "/memories/actions/pause", { memory_ids: [ids[4]], state: "paused" });
  await server.ask("POST", "/memories/search", { query: "may I deploy?", app: "cursor" });
  const apps = await server.ask<{ apps: { id: string }[] }>("GET", "/apps?name=cursor");
  app = apps.apps[0]?.id ?? "";
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

type Violation = { id: string; impact: string; help: string; nodes: { html: string }[] };

async function violations(page: Page): Promise<string[]> {
  await page.evaluate(AXE);
  const found = (await page.evaluate("axe.run(document).then(({ violations }) => violations)")) as Violation[];
  return found
    .filter(({ impact }) => impact === "serious" || impact === "critical")
    .map(({ id, help, nodes }) => `${id}: ${help}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`);
}

async function settled(page: Page): Promise<void> {
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator("[aria-busy=true], .animate-pulse").first().waitFor({ state: "detached" });
  await page.evaluate("document.fonts.ready.then(() => null)");
  await page.waitForTimeout(120); // what came last is measured and drawn
}

/** A page of the browser, and the addresses on other servers that it asked for. */
async function opened(theme: "light" | "dark"): Promise<[Page, string[]]> {
  // axe is put into the page by a script of the test's, which the policy would refuse.
  const page = await browser.newPage({ viewport: { width: 1280, height: 860 }, colorScheme: theme, bypassCSP: true });
  page.setDefaultTimeout(15_000);
  const elsewhere: string[] = [];
  page.on("request", (request) => {
    if (!request.url().startsWith(server.url) && !/^(data|blob):/.test(request.url())) elsewhere.push(request.url());
  });
  return [page, elsewhere];
}

describe.each(["light", "dark"] as const)("in the %s theme", (theme) => {
  test("every page, wide and on a phone", { timeout: 180_000 }, async () => {
    const [page, elsewhere] = await opened(theme);
    const wrong: string[] = [];
    async function look(name: string) {
      for (const { name: size, width, height } of SIZES) {
        await page.setViewportSize({ width, height });
        await settled(page);
        await page.screenshot({ path: join(PICTURES, `${name}-${theme}-${size}.png`) });
        const over = Number(await page.evaluate("document.documentElement.scrollWidth - innerWidth"));
        if (over > 0) wrong.push(`${name} is ${over} pixels wider than the ${size} screen`);
        wrong.push(...(await violations(page)).map((one) => `${name}, ${size}: ${one}`));
      }
    }
    await page.goto(`${server.url}/dashboard/login/`);
    await page.getByRole("button", { name: "Sign in" }).waitFor();
    await look("login");
    await signIn(page, server.url);
    for (const [name, address] of PAGES) {
      await page.goto(`${server.url}/dashboard${address()}`);
      await look(name);
    }
    await page.close();
    expect(wrong).toEqual([]);
    expect(elsewhere).toEqual([]);
  });

  test("what opens over a page", async () => {
    const [page] = await opened(theme);
    await signIn(page, server.url);
    await page.goto(`${server.url}/dashboard/memories/`);
    await settled(page);
    const wrong: string[] = [];
    const look = async (name: string) => {
      await page.waitForTimeout(400); // until it has come in
      await page.screenshot({ path: join(PICTURES, `${name}-${theme}.png`) });
      wrong.push(...(await violations(page)).map((one) => `${name}: ${one}`));
    };
    await page.getByRole("checkbox", { name: "Select this page" }).click();
    await look("open-selection");
    await page.getByRole("button", { name: "Category", exact: true }).click();
    await look("open-facet");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "Account and theme" }).click();
    await look("open-menu");
    await page.keyboard.press("Escape");
    await page.getByRole("button", { name: "New memory" }).click();
    await look("open-dialog");
    await page.close();
    expect(wrong).toEqual([]);
  });
});

test("the memories page starts with less JavaScript than its budget", () => {
  const html = readFileSync(join(UI, "out/memories/index.html"), "utf8");
  const scripts = [...html.matchAll(/<script[^>]*>/g)]
    .map(([tag]) => (/nomodule/i.test(tag) ? undefined : /src="\/dashboard\/([^"]+)"/.exec(tag)?.[1]))
    .filter((path) => path !== undefined);
  const bytes = [...new Set(scripts)].reduce(
    (sum, path) => sum + gzipSync(readFileSync(join(UI, "out", path))).length,
    0,
  );
  expect(scripts.length).toBeGreaterThan(5);
  expect(bytes).toBeLessThan(BUDGET);
});
