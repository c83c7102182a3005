/** The memories page and a memory's own, as a person uses them. */

import { expect, test } from "vitest";
import { onStage, page, server } from "./stage";

onStage();

const row = (text: string) => page.getByRole("row").filter({ hasText: text });
const open = (address: string) => page.goto(`${server.url}/dashboard${address}`);

test("a memory is created, found, edited in place, and its version restored", async () => {
  await open("/memories/");
  await page.getByRole("button", { name: "New memory" }).first().click();
  await page.getByLabel("What should be remembered?").fill("The blue door sticks in winter.");
  await page.getByRole("button", { name: "Remember", exact: true }).click();
  await row("The blue door sticks").waitFor();

  await page.getByRole("searchbox", { name: "Search memories" }).fill("which door is hard to open when cold");
  await page.getByText("best match").waitFor();
  await row("The blue door sticks").waitFor();
  await page.getByRole("searchbox", { name: "Search memories" }).fill("");

  await page.getByRole("button", { name: /^Actions for The blue door/ }).click();
  await page.getByRole("menuitem", { name: "Edit" }).click();
  await page.getByLabel("What it says").fill("The green door sticks in winter.");
  await page.getByRole("button", { name: "Save" }).click();
  await row("The green door sticks").waitFor();

  await page.getByRole("link", { name: "The green door sticks in winter." }).click();
  await page.waitForURL(/\/memory\/\?id=/);
  expect(await page.locator("del").first().textContent()).toBe("blue");
  expect(await page.locator("ins").first().textContent()).toBe("green");
  await page.getByLabel("Version 1").getByRole("button", { name: "Restore" }).click();
  await page.getByRole("region", { name: "Text" }).getByText("The blue door sticks in winter.").waitFor();
});

test("a delete is undone, of one and of many", async () => {
  await server.remember("undo", "first to go", "second to go", "third to go");
  await open("/memories/?apps=undo");
  await page.getByRole("button", { name: "Actions for first to go" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await row("first to go").waitFor({ state: "detached" });
  await page.getByRole("button", { name: "Undo" }).click();
  await row("first to go").waitFor();

  await page.getByRole("checkbox", { name: "Select this page" }).click();
  await page.getByText("3 memories selected").waitFor();
  await page.getByRole("toolbar", { name: "Selection" }).getByRole("button", { name: "Delete" }).click();
  await page.getByText("Nothing matches").waitFor();
  await page.getByRole("button", { name: "Undo" }).last().click();
  await row("third to go").waitFor();
  expect(await page.getByRole("toolbar", { name: "Selection" }).count()).toBe(0);
});

test("a selection is paused, archived and exported", async () => {
  const ids = await server.remember("bulk", "one of bulk", "two of bulk");
  await open("/memories/?apps=bulk");
  for (const [button, state] of [
    ["Pause", "paused"],
    ["Archive", "archived"],
  ] as const) {
    await open(`/memories/?apps=bulk&states=active,paused`);
    await page.getByRole("checkbox", { name: "Select this page" }).click();
    await page.getByRole("toolbar", { name: "Selection" }).getByRole("button", { name: button }).click();
    await expect
      .poll(async () => (await server.ask<{ state: string }>("GET", `/memories/${ids[0]}`)).state)
      .toBe(state);
  }
  await open("/memories/?apps=bulk&states=archived");
  await page.getByRole("checkbox", { name: "Select this page" }).click();
  await page.getByRole("button", { name: "Export" }).click();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("menuitem", { name: /lines of JSON/ }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^memories-.*\.jsonl$/);
});

test("filters, order and page are in the address and outlive a reload", async () => {
  await server.remember("address", ...Array.from({ length: 25 }, (_, n) => `numbered ${String(n).padStart(2, "0")}`));
  await open("/memories/?size=20");
  await page.getByRole("search").getByRole("button", { name: "App", exact: true }).click();
  await page.getByRole("checkbox", { name: "address" }).click();
  await page.keyboard.press("Escape");
  await page.getByText("1 to 20 of 25").waitFor();
  await page.getByRole("columnheader", { name: "Memory" }).getByRole("button").click();
  await row("numbered 00").waitFor();
  await page.getByRole("button", { name: "Next page" }).click();
  await row("numbered 24").waitFor();
  await page.reload();
  await row("numbered 24").waitFor();
  await page.getByText("21 to 25 of 25").waitFor();
  expect(page.url()).toContain("apps=address");
  await page.getByRole("searchbox", { name: "Search memories" }).fill("numbered 07");
  await page.getByLabel("How to search").selectOption("text");
  await page.getByText("1 to 1 of 1").waitFor(); // the search keeps the filter, and begins at the first page
  expect(page.url()).toContain("apps=address");
});

test("the keys move, select, edit, search and explain themselves", async () => {
  await server.remember("keys", "older", "newer");
  await open("/memories/?apps=keys&sort=memory&dir=asc");
  await row("newer").waitFor();
  await page.keyboard.press("j");
  await page.keyboard.press("j");
  await page.keyboard.press("x");
  await page.getByText("1 memory selected").waitFor();
  expect(await row("older").getByRole("checkbox").isChecked()).toBe(true);
  await page.keyboard.press("e");
  await page.getByLabel("What it says").waitFor();
  await page.keyboard.press("Escape");
  await page.getByLabel("What it says").waitFor({ state: "detached" });
  await page.locator("body").press("?");
  await page.getByRole("dialog", { name: "Keys" }).waitFor();
  await page.keyboard.press("Escape");
  await page.getByRole("dialog").waitFor({ state: "detached" });
  await page.keyboard.press("/");
  await page.keyboard.type("older");
  await page.getByText("best match").waitFor();
});

test("what the server refuses is put back and said", async () => {
  await server.remember("refused", "stays as it was");
  await open("/memories/?apps=refused");
  await row("stays as it was").waitFor();
  await page.route("**/api/v1/memories", (route) =>
    route.request().method() === "DELETE"
      ? route.fulfill({ status: 409, contentType: "application/json", body: '{"detail":"Not today"}' })
      : route.continue(),
  );
  await page.getByRole("button", { name: "Actions for stays as it was" }).click();
  await page.getByRole("menuitem", { name: "Delete" }).click();
  await page.getByText("Not today").waitFor();
  await row("stays as it was").waitFor();
});

test("a deleted memory's page has its history and the way back", async () => {
  const [id] = await server.remember("gone", "was here once");
  await server.ask("DELETE", `/memories/${id}`);
  await open(`/memory/?id=${id}`);
  await page.getByText("This memory was deleted").waitFor();
  await page.getByRole("button", { name: "Restore it" }).click();
  await page.getByRole("region", { name: "Text" }).getByText("was here once").waitFor();
  await open("/memory/?id=00000000-0000-4000-8000-000000000000");
  await page.getByText("Memory not found").waitFor();
});
