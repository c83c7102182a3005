/** The graph, as a person uses it: looked at, searched, walked through by keys, read as a list. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { expect, test } from "vitest";
import { signIn } from "./server";
import { browser, onStage, page, server } from "./stage";

const AXE = readFileSync(join(import.meta.dirname, "../node_modules/axe-core/axe.min.js"), "utf8");
const TEXTS = [
  "Maria moved to Lisbon in May.",
  "On weekends Tom and Maria play chess in Lisbon.",
  "Tom is allergic to penicillin.",
  "The deploys of Orbital Labs need two approvals.",
  "We met the people of Orbital Labs in spring.",
];

onStage({
  prepare: async () => {
    await server.remember("notes", ...TEXTS);
    await server.remember("cursor", "Use pnpm in the storefront.");
  },
});

const open = (address: string) => page.goto(`${server.url}/dashboard${address}`);
const settled = () => page.locator("canvas[data-state=settled]").waitFor();
const selected = () => page.getByRole("region", { name: "Selected" });
const find = async (words: string) => {
  await page.getByRole("searchbox", { name: "Find in the graph" }).fill(words);
  await page.getByRole("searchbox", { name: "Find in the graph" }).press("Enter");
};

/** How many of the canvas's pixels have been drawn on. */
const drawn = () =>
  page.evaluate(() => {
    const canvas = document.querySelector("canvas") as HTMLCanvasElement;
    const { data } = (canvas.getContext("2d") as CanvasRenderingContext2D).getImageData(
      0,
      0,
      canvas.width,
      canvas.height,
    );
    let count = 0;
    for (let n = 3; n < data.length; n += 4) if (data[n] !== 0) count++;
    return count;
  });

test("it is drawn, settles, and leads from an entity to its memories and to their page", async () => {
  await open("/graph/");
  await settled();
  await expect.poll(drawn).toBeGreaterThan(500);
  await find("maria");
  await selected().getByRole("heading", { name: "Maria", exact: true }).waitFor();
  await selected().getByRole("button", { name: TEXTS[0] }).click();
  await selected().getByRole("link", { name: "Open", exact: true }).click();
  await page.waitForURL(/\/memory\/\?id=/);
  await page
    .getByRole("region", { name: "Text" })
    .getByText(TEXTS[0] as string)
    .waitFor();
});

test("a click selects what is there, and beside it nothing", async () => {
  await open("/graph/?hide=memory,category,entity&apps=notes");
  await settled();
  const box = await page.locator("canvas").boundingBox();
  if (!box) throw new Error("no canvas");
  const middle = { x: box.width / 2, y: box.height / 2 }; // the only node there is
  await page.locator("canvas").hover({ position: middle });
  await expect.poll(() => page.locator("canvas").evaluate((it) => it.style.cursor)).toBe("pointer");
  await page.locator("canvas").click({ position: middle });
  await selected().getByRole("heading", { name: "notes" }).waitFor();
  await page.locator("canvas").click({ position: { x: 20, y: box.height - 20 } });
  await selected().waitFor({ state: "detached" });
});

test("what lies around something is another picture, with a way back", async () => {
  await open("/graph/");
  await settled();
  await find("orbital");
  await selected().getByRole("button", { name: "What lies around it" }).click();
  await page.getByText("2 memories", { exact: true }).first().waitFor();
  expect(page.url()).toContain("around=entity");
  await page.goBack();
  await page.getByText("6 memories", { exact: true }).waitFor();
  await find("penicillin");
  await selected().getByRole("button", { name: "What lies around it" }).click();
  await page.getByText("What lies around Tom is allergic").waitFor();
  await page.getByRole("button", { name: "Everything" }).click();
  await page.getByText("6 memories", { exact: true }).waitFor();
});

test("the keys walk through it and tell where they are", async () => {
  await open("/graph/?hide=category");
  await settled();
  await page.keyboard.press("/");
  await page.keyboard.type("Lisbon");
  await page.keyboard.press("Enter");
  await selected().getByRole("heading", { name: "Lisbon" }).waitFor();
  const graph = page.getByRole("application", { name: "The graph" });
  await graph.focus();
  const said = page.locator("[aria-live=polite].sr-only");
  await page.keyboard.press("ArrowRight");
  await expect.poll(() => said.textContent()).toMatch(/^(memory|entity|app) .+, join/);
  const first = await said.textContent();
  for (const key of ["ArrowLeft", "ArrowUp", "ArrowDown"]) await page.keyboard.press(key);
  await expect.poll(() => said.textContent()).not.toBe(first);
  await page.keyboard.press("Enter");
  await selected().waitFor();
  await page.keyboard.press("Escape");
  await selected().waitFor({ state: "detached" });
});

test("filters and hidden kinds are in the address and outlive a reload", async () => {
  await open("/graph/");
  await settled();
  await page.getByRole("search").getByRole("button", { name: "App", exact: true }).click();
  await page.getByRole("checkbox", { name: "cursor" }).click();
  await page.keyboard.press("Escape");
  await page.getByText("1 memory", { exact: true }).waitFor();
  const kinds = page.getByRole("group", { name: "Kinds that are drawn" });
  await kinds.getByRole("button", { name: /^Categories/ }).click();
  await page.waitForURL(/hide=category/);
  await page.reload();
  await page.getByText("1 memory", { exact: true }).waitFor();
  expect(await kinds.getByRole("button", { name: /^Categories/ }).getAttribute("aria-pressed")).toBe("false");
  await page.getByRole("button", { name: "Clear filters" }).click();
  await page.getByText("6 memories", { exact: true }).waitFor();
});

test("the list has the same to read", async () => {
  await open("/graph/?view=list");
  const entity = page.getByRole("group").filter({ hasText: "Orbital Labs" });
  await entity.locator("summary").click();
  await entity.getByRole("link", { name: TEXTS[3] }).waitFor();
  await entity.getByRole("link", { name: "All of them in the list of memories" }).click();
  await page.waitForURL(/\/memories\/\?q=Orbital/);
  await page.getByText("1 to 2 of 2").waitFor();
});

test("what is not in the picture is looked for among all memories", async () => {
  await open("/graph/?apps=cursor");
  await settled();
  await page.getByRole("searchbox", { name: "Find in the graph" }).fill("Lisbon");
  await page.getByRole("button", { name: "Look among all memories" }).click();
  await page.getByText("2 memories", { exact: true }).first().waitFor();
});

test("a server that is gone, and nothing to draw, are said", async () => {
  await open("/graph/?from=2001-01-01&to=2001-01-02");
  await page.getByText("Nothing to draw").waitFor();
  await page.route("**/api/v1/graph*", (route) =>
    route.fulfill({ status: 503, contentType: "application/json", body: '{"detail":"Not now"}' }),
  );
  await open("/graph/?limit=200");
  await page.getByText("Not now").waitFor({ timeout: 20_000 });
});

test.each(["light", "dark"] as const)("nobody is shut out of what was selected, %s", async (colorScheme) => {
  const other = await browser.newPage({ colorScheme, bypassCSP: true, viewport: { width: 360, height: 760 } });
  await signIn(other, server.url);
  await other.goto(`${server.url}/dashboard/graph/`);
  await other.locator("canvas[data-state=settled]").waitFor();
  await other.getByRole("searchbox", { name: "Find in the graph" }).fill("Maria");
  await other.getByRole("searchbox", { name: "Find in the graph" }).press("Enter");
  await other.getByRole("region", { name: "Selected" }).waitFor();
  await other.evaluate(AXE);
  const found = (await other.evaluate("axe.run(document).then(({ violations }) => violations)")) as { id: string }[];
  expect(found.map(({ id }) => id)).toEqual([]);
  expect(Number(await other.evaluate("document.documentElement.scrollWidth - innerWidth"))).toBeLessThanOrEqual(0);
  await other.close();
});

test("whoever wants no motion sees it only when it lies still", async () => {
  const many = Array.from(
    { length: 300 },
    (_, n) => `In room ${n} of Hall ${n % 7} the lamp of Zoe ${n % 11} is green.`,
  );
  await server.remember("halls", ...many);
  async function drawnWhile(reducedMotion: "reduce" | "no-preference"): Promise<string[]> {
    const other = await browser.newPage({ reducedMotion });
    await signIn(other, server.url);
    await other.addInitScript(() => {
      const states: string[] = [];
      Object.assign(window, { states });
      const { clearRect } = CanvasRenderingContext2D.prototype;
      CanvasRenderingContext2D.prototype.clearRect = function clear(...box) {
        states.push(this.canvas.dataset.state ?? "");
        return clearRect.apply(this, box);
      };
    });
    await other.goto(`${server.url}/dashboard/graph/?apps=halls`);
    await other.locator("canvas[data-state=settled]").waitFor();
    const states = () => other.evaluate("window.states") as Promise<string[]>;
    await expect.poll(async () => (await states()).at(-1)).toBe("settled");
    const found = await states();
    await other.close();
    return found;
  }
  expect(await drawnWhile("no-preference")).toContain("moving");
  expect(await drawnWhile("reduce")).not.toContain("moving");
});
