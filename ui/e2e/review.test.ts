/** The review as a person uses it: what is found is merged, kept, deleted, taken out, retried, and undone. */

import { readFileSync } from "node:fs";
import { createServer } from "node:http";
import type { AddressInfo } from "node:net";
import { join } from "node:path";
import { afterAll, expect, test } from "vitest";
import { browser, onStage, page, server } from "./stage";

const UI = join(import.meta.dirname, "..");
const AXE = readFileSync(join(UI, "node_modules/axe-core/axe.min.js"), "utf8");
const PICTURES = join(UI, "screenshots");
const TOKEN = `ghp_${"a1B2c3D4e5".repeat(4)}`;

// A scripted model: it refuses every question.
const llm = createServer((_, answer) => answer.writeHead(401).end("{}")).listen(0, "127.0.0.1");
afterAll(() => llm.close());
onStage({
  environment: { SWEEP_SECONDS: "0.3", ALLOWED_PROVIDER_HOSTS: "127.0.0.1" },
  // axe is put into the page by a script of the test's, which the policy would refuse.
  browsing: { bypassCSP: true },
});

type Counts = { open: Record<string, number>; failed: number; examined: number; memories: number };
type Listed = { items: { content: string }[] };

const open = (address: string) => page.goto(`${server.url}/dashboard${address}`);
const card = (text: string) => page.getByRole("listitem").filter({ hasText: text });
const counts = () => server.ask<Counts>("GET", "/review/counts");
const texts = async () =>
  (await server.ask<Listed>("GET", "/memories?size=100")).items.map(({ content }) => content).sort();

/** Memories of these texts, and that they were examined. */
async function examined(...words: string[]): Promise<string[]> {
  const ids = await server.remember("claude-code", ...words);
  await expect
    .poll(async () => {
      const { examined, memories } = await counts();
      return memories - examined;
    })
    .toBe(0);
  return ids;
}

/** No serious violation, in both themes, wide and on a phone; nothing sticks out; a picture of each. */
async function look(name: string): Promise<void> {
  const wrong: string[] = [];
  for (const theme of ["light", "dark"] as const) {
    await page.emulateMedia({ colorScheme: theme });
    for (const [size, width] of [
      ["wide", 1280],
      ["phone", 360],
    ] as const) {
      await page.setViewportSize({ width, height: 860 });
      await page.waitForTimeout(150); // what is animated has come to rest
      await page.screenshot({ path: join(PICTURES, `${name}-${theme}-${size}.png`) });
      const over = Number(await page.evaluate("document.documentElement.scrollWidth - innerWidth"));
      if (over > 0) wrong.push(`${over} pixels wider than the ${size} screen`);
      await page.evaluate(AXE);
      const found = (await page.evaluate("axe.run(document).then(({ violations }) => violations)")) as {
        id: string;
        impact: string;
        nodes: { html: string }[];
      }[];
      wrong.push(
        ...found
          .filter(({ impact }) => impact === "serious" || impact === "critical")
          .map(
            ({ id, nodes }) => `${theme}, ${size}: ${id}: ${nodes.map(({ html }) => html.slice(0, 160)).join(" | ")}`,
          ),
      );
    }
  }
  await page.setViewportSize({ width: 1280, height: 860 });
  await page.emulateMedia({ colorScheme: "light" });
  expect(wrong).toEqual([]);
}

test("an empty review says so", async () => {
  await open("/review/");
  await page.getByText("Nothing to review").waitFor();
  await page.getByText("0 memories examined").waitFor();
});

test("two that say the same are merged, and that is undone", async () => {
  await examined("I love hiking in the mountains", "I love to hike in the mountains");
  await open("/memories/");
  await page.getByRole("link", { name: /Review.*to decide/ }).click();
  const found = card("The same words");
  await found.getByRole("region", { name: "Older memory" }).getByText("hiking").waitFor();
  expect(await found.locator("mark").first().textContent()).toBe("hiking");
  await found.getByRole("button", { name: "Merge" }).click();
  await page.getByLabel("What the merged memory says").fill("Ann loves to hike in the mountains");
  await look("review-merge");
  await found.getByRole("button", { name: "Merge", exact: true }).click();
  await page.getByText("Nothing to review").waitFor();
  await expect.poll(texts).toEqual(["Ann loves to hike in the mountains"]);

  await page.getByRole("button", { name: "Undo" }).click();
  await card("The same words").waitFor();
  expect(await texts()).toEqual(["I love hiking in the mountains", "I love to hike in the mountains"]);
});

test("contradictions are kept by a key, seen among what was decided, and undone there", async () => {
  await examined(
    "Bob lives in Paris",
    "Bob lives in Berlin",
    "The default branch is main",
    "The default branch is master",
  );
  await open("/review/?kind=contradiction");
  await page.getByText("Only plain contradictions are found").waitFor();
  await card("Bob lives in").waitFor();
  await look("review-contradictions");
  const isFirst = (await page.getByRole("list", { name: "To be decided" }).innerText()).indexOf("default branch") < 200;
  for (const key of isFirst ? ["j", "j", "k"] : ["j", "k", "j"]) await page.keyboard.press(key);
  await page.locator('li[aria-current="true"]').filter({ hasText: "default branch" }).waitFor();
  await page.keyboard.press("b");
  await card("default branch").waitFor({ state: "detached" });
  await page.getByRole("switch", { name: "Decided ones" }).click();
  await card("default branch").getByText(/Kept/).waitFor();
  await look("review-decided");
  await card("default branch").getByRole("button", { name: "Undo" }).click();
  await page.getByText("Nothing was decided yet").waitFor();
  await page.getByRole("switch", { name: "Decided ones" }).click();
  await card("default branch").waitFor();

  await page.getByRole("button", { name: "Keep all" }).click();
  await page.getByText("Nothing to review").waitFor();
  await page.getByText("2 findings kept as they are").waitFor();
  await page.getByRole("button", { name: "Undo" }).last().click();
  await card("default branch").waitFor();
  await card("Bob lives in").getByRole("button", { name: "Delete the older" }).click();
  await card("Bob lives in").waitFor({ state: "detached" });
  await expect.poll(texts).not.toContain("Bob lives in Paris");
});

test("a secret is masked, and taken out", async () => {
  const [id] = await examined(`The deploy token is ${TOKEN}, ask Bob`);
  await open("/review/?kind=secret");
  await card("GitHub token").getByText("The deploy token is ghp_•••, ask Bob").waitFor();
  expect(await page.content()).not.toContain(TOKEN);
  await look("review-secrets");
  await card("GitHub token").getByRole("button", { name: "Take it out", exact: true }).click();
  await page.getByText("Nothing to review").waitFor();
  await expect
    .poll(async () => (await server.ask<{ content: string }>("GET", `/memories/${id}`)).content)
    .toBe("The deploy token is [GitHub token removed], ask Bob");
  await page.getByRole("button", { name: "Undo" }).click();
  await card("GitHub token").getByRole("button", { name: "Take it out for good" }).click();
  const dialog = page.getByRole("dialog", { name: "Take it out for good?" });
  await dialog.getByRole("button", { name: "Take it out for good" }).click();
  await page.getByText("Taken out of every version, for good").waitFor();
  await expect.poll(texts).toContain("The deploy token is [GitHub token removed], ask Bob");
  await expect(server.ask("GET", `/memories/${id}/history`)).rejects.toThrow("404");
});

test("what the server refuses is put back and said", async () => {
  await examined("The refused thing is heavy", "Refused thing is heavy");
  await open("/review/");
  await card("refused thing").waitFor();
  await page.route("**/resolve", (route) =>
    route.fulfill({ status: 409, contentType: "application/json", body: '{"detail":"Not today"}' }),
  );
  await card("refused thing").getByRole("button", { name: "Keep both" }).click();
  await page.getByText("Not today").waitFor();
  await card("refused thing").waitFor();
});

test("a failed write shows what was sent, is tried again, dismissed, and waits again", async () => {
  const { port } = llm.address() as AddressInfo;
  const config = { model: "scripted", api_key: "sk-scripted", openai_base_url: `http://127.0.0.1:${port}/v1` };
  await server.ask("PATCH", "/config", { mem0: { llm: { provider: "openai", config } } });
  await server.ask("POST", "/memories", { text: "I moved to Lisbon", infer: true }).catch(() => null);
  await expect.poll(async () => (await counts()).failed).toBe(1);
  await open("/review/?kind=failed");
  const failed = page.getByRole("list", { name: "Failed writes" }).getByRole("listitem");
  await failed.getByText("refused with the status 401").waitFor();
  await failed.getByRole("button", { name: "Show what was sent" }).click();
  await failed.getByText("I moved to Lisbon").waitFor();
  await look("review-failed");
  await failed.getByRole("button", { name: "Retry" }).click();
  await failed.getByText("2 tries").waitFor();
  await failed.getByRole("button", { name: "Dismiss" }).click();
  await page.getByText("Nothing to review").waitFor();
  await expect.poll(async () => (await counts()).failed).toBe(0);
  await page.getByRole("button", { name: "Undo" }).last().click();
  await failed.getByText("2 tries").waitFor();
});

test("who may only read decides nothing, and a key of an app is told why it sees nothing", async () => {
  const reader = await server.ask<{ key: string }>("POST", "/api-keys", { label: "reader", scopes: ["read"] });
  const agent = await server.ask<{ key: string }>("POST", "/api-keys", {
    label: "agent",
    scopes: ["read", "write"],
    app_name: "cursor",
  });
  const other = await browser.newContext();
  for (const [key, seen] of [
    [reader.key, "refused thing"],
    [agent.key, "You may not see this"],
  ] as const) {
    const shown = await other.newPage();
    await shown.goto(`${server.url}/dashboard/login/?next=/review/`);
    await shown.getByLabel("API key", { exact: true }).and(shown.locator("input")).fill(key);
    await shown.getByRole("button", { name: "Sign in" }).click();
    await shown.getByText(seen).first().waitFor();
    expect(await shown.getByRole("button", { name: "Keep both" }).count()).toBe(0);
    await shown.close();
  }
  await other.close();
});
