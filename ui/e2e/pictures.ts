/** The pictures of the project's README: `npm run pictures`, on a real server with memories made up for it. */

import { mkdirSync } from "node:fs";
import { join } from "node:path";
import type { Browser, Page } from "playwright-core";
import { afterAll, beforeAll, test } from "vitest";
import { launch, Server, signIn } from "./server";

const PICTURES = join(import.meta.dirname, "../../docs/pictures");
const DAYS = 30;

const PEOPLE = ["Mia", "Jonas", "Priya", "Tom"];
const SAID: [app: string, texts: string[]][] = [
  [
    "claude-code",
    [
      "The storefront repository uses pnpm, never npm.",
      "Deploys of the storefront on Fridays need a second approval.",
      "The staging database of the storefront is refreshed every Monday night.",
      "Payments are tested with Stripe's test cards, in the sandbox alone.",
      "Priya reviews whatever touches Payments.",
      "Feature flags of the storefront live in LaunchDarkly.",
      "The storefront's API returns prices in cents.",
      "Jonas wants commit messages that say why.",
    ],
  ],
  [
    "cursor",
    [
      "Prefers TypeScript in strict mode and small functions.",
      "Python code is formatted by Ruff, with lines of 120 characters.",
      "Jonas wrote the search service in Rust.",
      "Tests of the search service need PostgreSQL with pgvector.",
      "Tom runs the search service on two small machines in Frankfurt.",
    ],
  ],
  [
    "assistant",
    [
      "Mia starts school in September and needs a lunch box.",
      "Mia is allergic to peanuts.",
      "Jonas and Mia visit the grandparents in Lisbon every summer.",
      "Flights to Lisbon: window seats, and a vegetarian meal.",
      "Plays squash with Tom on Thursday evenings.",
      "Priya's birthday is on 3 October; she collects fountain pens.",
      "Saves for a house in Porto, and looks at it again in spring.",
      "Reads before sleeping; no meetings before nine.",
      "The doctor advised swimming for the back.",
    ],
  ],
  [
    "claude-desktop",
    [
      "Works as a staff engineer at a shop for garden tools.",
      "Lives in Berlin with Jonas and Mia.",
      "The quarterly report for Priya is due on the first Friday after the quarter ends.",
      "Wants summaries of at most five sentences.",
      "Learns Portuguese with Tom, an hour on Sundays.",
    ],
  ],
];

let server: Server;
let browser: Browser;

beforeAll(async () => {
  mkdirSync(PICTURES, { recursive: true });
  [server, browser] = await Promise.all([Server.start(), launch()]);
  let number = 0;
  for (const [app, texts] of SAID) {
    const results = texts.map((memory) => {
      const when = new Date(Date.now() - ((number++ * 7) % DAYS) * 86_400_000).toISOString();
      return { id: crypto.randomUUID(), memory, created_at: when, updated_at: when };
    });
    await server.bring("memories.json", JSON.stringify({ results }), { app });
  }
  for (const name of PEOPLE) await server.ask("POST", "/memories/search", { query: name, app: "assistant" });
  await server.remember(
    "cursor",
    "Lives in Berlin with Jonas, Mia and a cat.",
    "Deploys on Fridays need two approvals.",
  );
  const { items } = await server.ask<{ items: { id: string }[] }>("GET", "/memories?search_query=Berlin");
  await server.ask("PUT", `/memories/${items[0]?.id}`, {
    memory_content: "Lives in Berlin with Jonas, Mia and a cat.",
  });
});
afterAll(async () => {
  await browser?.close();
  await server?.stop();
});

async function taken(page: Page, name: string, address: string): Promise<void> {
  await page.goto(`${server.url}/dashboard${address}`);
  await page.getByRole("heading", { level: 1 }).waitFor();
  await page.locator("[aria-busy=true], .animate-pulse").first().waitFor({ state: "detached" });
  await page.evaluate("document.fonts.ready.then(() => null)");
  await page.waitForTimeout(2_500); // charts are drawn, the graph lies still
  await page.screenshot({ path: join(PICTURES, `${name}.png`) });
}

test("three pictures", { timeout: 120_000 }, async () => {
  const page = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: "light" });
  await signIn(page, server.url);
  await taken(page, "overview", "/");
  await taken(page, "memories", "/memories/");
  const dark = await browser.newPage({ viewport: { width: 1280, height: 800 }, colorScheme: "dark" });
  await signIn(dark, server.url);
  await taken(dark, "graph", "/graph/");
});
