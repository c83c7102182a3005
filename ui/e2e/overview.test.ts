/** What happened by day, and what is done with many memories at once: labels, files, all that match. */

import { readFileSync } from "node:fs";
import { expect, test } from "vitest";
import { onStage, page, server } from "./stage";

onStage();

const row = (text: string) => page.getByRole("row").filter({ hasText: text });
const open = (address: string) => page.goto(`${server.url}/dashboard${address}`);
const label = (ids: string[], names: Record<string, string[]>) =>
  server.ask("POST", "/memories/actions/label", { memory_ids: ids, ...names });
const labels = async (id: string | undefined) =>
  server.ask<{ categories: string[]; tags: string[] }>("GET", `/memories/${id}`);

/** What today's row of the table says: made, writes, reads, shown. */
async function today(): Promise<number[]> {
  const over = page.getByRole("region", { name: "Over time" });
  await over.getByText("As a table").click();
  await over.getByRole("row").nth(1).waitFor();
  const cells = await over.getByRole("row").nth(1).getByRole("cell").allTextContents();
  return cells.map(Number);
}

test("reads and writes appear by day, on the overview and on the app's page", async () => {
  const [id] = await server.remember("writer", "we deploy on Fridays", "we fly to Rome");
  await server.ask("PUT", `/memories/${id}`, { memory_content: "we deploy on Mondays" });
  await open("/");
  expect(await today()).toEqual([2, 3, 0, 0]);
  await server.ask("POST", "/memories/search", { query: "when do we deploy", app: "reader" });
  await open("/");
  await expect.poll(async () => (await page.getByText(/^1 read$/).count()) > 0).toBe(true);
  const [, , reads, shown] = await today();
  expect(reads).toBe(1);
  expect(shown).toBeGreaterThan(0);
  await page.getByRole("region", { name: "Apps" }).getByRole("link", { name: "writer" }).click();
  await page.getByRole("heading", { level: 1, name: "writer" }).waitFor();
  expect(await today()).toEqual([2, 3, 0, 0]);
});

test("the tag filter is in the address, with counts, and narrows a search by meaning too", async () => {
  const ids = await server.remember("tagged", "red as a rose", "blue as the sea", "green as grass");
  await label(ids.slice(0, 2), { add_tags: ["colour"] });
  await label(ids.slice(0, 1), { add_tags: ["warm, very"] });
  await open("/memories/?apps=tagged");
  await row("green as grass").waitFor();
  await page.getByRole("search").getByRole("button", { name: "Tag", exact: true }).click();
  await page.getByRole("checkbox", { name: /colour/ }).click();
  await page.keyboard.press("Escape");
  await page.getByText("1 to 2 of 2").waitFor();
  expect(page.url()).toContain("tags=colour");
  await page.reload();
  await page.getByText("1 to 2 of 2").waitFor();
  await page.getByRole("searchbox", { name: "Search memories" }).fill("which is like a flower");
  await page.getByText("2 best matches").waitFor();
  await open("/memories/?apps=tagged");
  await page.getByRole("search").getByRole("button", { name: "Tag", exact: true }).click();
  await page.getByRole("checkbox", { name: "warm, very" }).click();
  await page.getByText("1 to 1 of 1").waitFor();
  await page.reload();
  await page.getByText("1 to 1 of 1").waitFor();
});

test("many memories are labelled at once, and it is undone", async () => {
  const ids = await server.remember("label", "one to label", "two to label");
  await label(ids.slice(0, 1), { add_categories: ["kept"], add_tags: ["before"] });
  await open("/memories/?apps=label");
  await page.getByRole("checkbox", { name: "Select this page" }).click();
  await page.getByRole("toolbar", { name: "Selection" }).getByRole("button", { name: "Label" }).click();
  const dialog = page.getByRole("dialog", { name: "Label 2 memories" });
  await dialog.getByLabel("Categories").fill("errands");
  await page.keyboard.press("Enter");
  await dialog.getByLabel("Tags", { exact: true }).fill("soon");
  await dialog.getByRole("button", { name: "Add labels" }).click();
  await row("one to label").getByTitle("errands").waitFor();
  await row("two to label").getByText("#soon").waitFor();
  await page.getByText("2 memories labelled").waitFor();
  expect((await labels(ids[1])).tags).toEqual(["soon"]);
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("The labels are as they were").waitFor();
  await row("two to label").getByText("#soon").waitFor({ state: "detached" });
  const first = await labels(ids[0]);
  expect([first.categories.includes("kept"), first.categories.includes("errands"), first.tags]).toEqual([
    true,
    false,
    ["before"],
  ]);
});

test("a labelling that the server refuses is put back and said", async () => {
  await server.remember("refused", "keeps its labels");
  await open("/memories/?apps=refused");
  await page.route("**/api/v1/memories/actions/label", (route) =>
    route.fulfill({ status: 409, contentType: "application/json", body: '{"detail":"Not today"}' }),
  );
  await page.getByRole("checkbox", { name: "Select this page" }).click();
  await page.getByRole("toolbar", { name: "Selection" }).getByRole("button", { name: "Label" }).click();
  await page.getByRole("dialog").getByLabel("Tags", { exact: true }).fill("never");
  await page.keyboard.press("Enter");
  await page.keyboard.press("Enter"); // in an empty field it sends the form
  await page.getByText("Not today").waitFor();
  await row("keeps its labels").getByText("#never").waitFor({ state: "detached" });
});

test("an export of a selection has exactly what was selected, over pages too", async () => {
  await server.remember("files", ...Array.from({ length: 25 }, (_, n) => `file ${String(n).padStart(2, "0")}`));
  await open("/memories/?apps=files&sort=memory&dir=asc&size=20");
  await page.getByRole("checkbox", { name: "Select file 03" }).click();
  await page.getByRole("checkbox", { name: "Select file 11" }).click();
  await page.getByRole("button", { name: "Export" }).click();
  const [few] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: /lines of JSON/ }).click(),
  ]);
  expect(few.suggestedFilename()).toMatch(/^memories-.*\.jsonl$/);
  const texts = readFileSync(await few.path(), "utf8")
    .trim()
    .split("\n")
    .map((line) => (JSON.parse(line) as { content: string }).content);
  expect(texts).toEqual(["file 03", "file 11"]);

  await page.getByRole("button", { name: "Select all 25 that match" }).click();
  await page.getByText("25 memories selected").waitFor();
  await page.getByRole("button", { name: "Export" }).click();
  const [all] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: /lines of JSON/ }).click(),
  ]);
  expect(
    readFileSync(await all.path(), "utf8")
      .trim()
      .split("\n"),
  ).toHaveLength(25);
});

test("all that match are deleted at once, and it is undone", async () => {
  await server.remember("all", ...Array.from({ length: 23 }, (_, n) => `of all ${n}`));
  await open("/memories/?apps=all&size=20");
  await page.getByRole("checkbox", { name: "Select this page" }).click();
  await page.getByRole("button", { name: "Select all 23 that match" }).click();
  await page.getByText("23 memories selected").waitFor();
  await page.getByRole("toolbar", { name: "Selection" }).getByRole("button", { name: "Delete" }).click();
  await page.getByText("Nothing matches").waitFor();
  await page.getByText("23 memories deleted").waitFor();
  await page.getByRole("button", { name: "Undo" }).click();
  await page.getByText("1 to 20 of 23").waitFor();
});

test("a memory's labels and details are changed on its page, and its history says so", async () => {
  const [id] = await server.remember("one", "the spare key is under the mat");
  await open(`/memory/?id=${id}`);
  await page.getByRole("button", { name: "Labels" }).click();
  await page.getByRole("dialog", { name: "Labels" }).getByLabel("Tags", { exact: true }).fill("house");
  await page.keyboard.press("Enter");
  await page.getByRole("dialog").getByRole("button", { name: "Save" }).click();
  await page.getByRole("region", { name: "Text" }).getByRole("link", { name: "#house" }).waitFor();
  await page.getByLabel("Version 2").getByText("Labelled").waitFor();
  await page.getByLabel("Version 2").getByText("+ #house").waitFor();

  await page.getByRole("button", { name: "Details" }).click();
  const details = page.getByRole("dialog", { name: "Details" });
  await details.getByLabel("Pinned").click();
  await details.getByLabel("Metadata").fill("{");
  await details.getByText("This is not a JSON object.").waitFor();
  await details.getByLabel("Metadata").fill('{"room": "hall"}');
  await details.getByRole("button", { name: "Save" }).click();
  await details.waitFor({ state: "detached" });
  await page.getByRole("region", { name: "Metadata" }).getByText("hall").waitFor();
  await page.getByRole("region", { name: "About" }).getByText("pinned").waitFor();

  await server.ask("POST", "/memories/actions/pause", { memory_ids: [id], state: "paused" });
  await page.reload();
  const steps = page.getByRole("region", { name: "Status history" });
  await steps.getByText("by sam").waitFor();
  expect(await steps.getByRole("listitem").count()).toBe(1);
});

test("a query is explained for one memory", async () => {
  const [id, other] = await server.remember(
    "why",
    "the tram to the harbour is number 7",
    "bread is cheaper on Sundays",
  );
  await open(`/memory/?id=${id}`);
  const explain = page.getByRole("region", { name: "Explain for a query" });
  await explain.getByLabel("A question").fill("which tram goes to the harbour");
  await explain.getByRole("button", { name: "Explain" }).click();
  await explain.getByText("found", { exact: true }).waitFor();
  await explain.getByText(/Place 1 of/).waitFor();
  await server.ask("POST", "/memories/actions/pause", { memory_ids: [other], state: "paused" });
  await open(`/memory/?id=${other}`);
  await explain.getByLabel("A question").fill("when is bread cheap");
  await page.keyboard.press("Enter");
  await explain.getByRole("status").getByText("paused").first().waitFor();
});
