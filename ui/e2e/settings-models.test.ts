/** Settings of models, extraction, categories, retention and the whole as JSON. The LLM is scripted, over real HTTP. */

import { execFileSync } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer, type Server as HttpServer } from "node:http";
import type { AddressInfo } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import type { Locator, Page } from "playwright-core";
import { afterAll, beforeAll, beforeEach, expect, test, vi } from "vitest";
import { browser, onStage, page, server } from "./stage";

const PYTHON = process.env.COMMONPLACE_PYTHON ?? join(import.meta.dirname, "../../.venv/bin/python");
vi.setConfig({ testTimeout: 90_000 }); // embedders and stores are built for real, on machines that have few cores
const SECRET = "sk-browser-0123456789abcdef";
const ANSWER = "Hello from the scripted model";

let llm: HttpServer;
let llmUrl: string;
let seen: { key: string | undefined; model: string }[];
const folder = mkdtempSync(join(tmpdir(), "commonplace-settings-"));

/** An OpenAI-compatible server that always says the same. */
function scripted(): Promise<HttpServer> {
  const http = createServer((request, response) => {
    let sent = "";
    request.on("data", (chunk) => {
      sent += chunk;
    });
    request.on("end", () => {
      seen.push({ key: request.headers.authorization, model: JSON.parse(sent).model });
      const message = { role: "assistant", content: ANSWER };
      const choices = [{ index: 0, finish_reason: "stop", message }];
      response.setHeader("Content-Type", "application/json");
      response.end(JSON.stringify({ id: "x", object: "chat.completion", created: 0, model: "scripted", choices }));
    });
  });
  return new Promise((done) => http.listen(0, "127.0.0.1", () => done(http)));
}

beforeAll(async () => {
  seen = [];
  llm = await scripted();
  llmUrl = `http://127.0.0.1:${(llm.address() as AddressInfo).port}/v1`;
});
afterAll(() => {
  llm?.close();
  rmSync(folder, { recursive: true, force: true });
});
onStage({
  environment: { ALLOWED_PROVIDER_HOSTS: "127.0.0.1", DATABASE_URL: `sqlite:///${join(folder, "test.db")}` },
});
beforeEach(async () => {
  await server.ask("POST", "/config/reset");
});

const open = (section: string) => page.goto(`${server.url}/dashboard/settings/${section}/`);
const region = (name: string) => page.getByRole("region", { name, exact: true });
const press = (within: Locator | Page, name: string) => within.getByRole("button", { name, exact: true }).click();

async function chooseScripted(form: Locator, url = llmUrl): Promise<void> {
  await form.getByLabel("Provider").selectOption("openai");
  await form.getByLabel("Model", { exact: true }).fill("scripted-1");
  await form.getByLabel("API key", { exact: true }).fill(SECRET);
  await form.getByLabel("Openai base URL").fill(url);
}

test("an LLM is tried, saved, and keeps its key to itself", async () => {
  await open("models");
  const form = region("LLM");
  await chooseScripted(form, "http://127.0.0.1:9/v1");
  await press(form, "Test");
  await form.getByText("It cannot be reached").waitFor();

  await form.getByLabel("Openai base URL").fill(llmUrl);
  await form.getByText("It cannot be reached").waitFor({ state: "detached" }); // that was of another address
  await press(form, "Test");
  await form.getByText(`“${ANSWER}”`).waitFor();
  await form.getByText("openai:scripted-1").waitFor();
  expect(seen.at(-1)).toEqual({ key: `Bearer ${SECRET}`, model: "scripted-1" });
  const stored = await server.ask<{ provider: string | null }>("GET", "/config/mem0/llm");
  expect(stored.provider).toBe(null); // a test saves nothing

  await press(form, "Save");
  await page.getByText("LLM saved").waitFor();
  await page.reload();
  expect(await form.getByLabel("Model", { exact: true }).inputValue()).toBe("scripted-1");
  expect(await form.getByLabel("API key", { exact: true }).inputValue()).toBe("****cdef");
  expect(await page.content()).not.toContain(SECRET);
  await press(form, "Test"); // with the key that is kept
  await form.getByText(`“${ANSWER}”`).waitFor();
  expect(seen.at(-1)?.key).toBe(`Bearer ${SECRET}`);
});

test("what cannot be is told: a host that is refused, a package that is missing, a limit", async () => {
  await open("models");
  const form = region("LLM");
  await chooseScripted(form, "http://10.0.0.1/v1");
  await press(form, "Test");
  await form.getByText("10.0.0.1 is not a public address").waitFor();
  await press(form, "Save");
  await form.getByRole("alert").getByText("ALLOWED_PROVIDER_HOSTS").waitFor();
  await press(form, "Discard changes");
  await form.getByLabel("Provider").selectOption("groq");
  await press(form, "Test");
  await form.getByText("pip install groq").waitFor();
  const reranking = region("Reranking");
  await reranking.getByLabel("Hits that it sees").fill("1");
  await reranking.getByText("A whole number, 2 to 200.").waitFor();
  expect(await reranking.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
});

test("the embedder and the vector store are tried for real, and the index is made again", async () => {
  await server.remember("indexing", "the harbour freezes in January", "the ferry leaves at nine");
  await open("models");
  await press(region("Embedder"), "Test");
  await region("Embedder").getByText("384 dimensions").waitFor();
  await press(region("Vector store"), "Test");
  await region("Vector store").getByText("It wrote, found and removed a vector").waitFor();

  const index = region("Search index");
  await press(index, "Rebuild");
  await press(page.getByRole("dialog", { name: "Rebuild the index?" }), "Rebuild");
  await page.getByText("will be embedded again").waitFor();
  await index.getByText("level", { exact: true }).waitFor();
  const level = await server.ask<{ memories: number; indexed: number }>("GET", "/index");
  expect(level.indexed).toBe(level.memories);
});

test("who was quicker is told, and either of the two can be kept", async () => {
  await open("models");
  const form = region("LLM");
  await chooseScripted(form);
  await server.ask("PATCH", "/config", { mem0: { llm: { provider: "openai", config: { model: "theirs" } } } });
  await press(form, "Save");
  await form.getByText("Somebody else changed this meanwhile").waitFor();
  await press(form, "Keep mine");
  await press(form, "Save");
  await page.getByText("LLM saved").waitFor();
  await form.getByLabel("Model", { exact: true }).fill("another");
  await server.ask("PATCH", "/config", { mem0: { llm: { config: { model: "theirs again" } } } });
  await press(form, "Save");
  await press(form, "Load theirs");
  expect(await form.getByLabel("Model", { exact: true }).inputValue()).toBe("theirs again");
});

test("instructions are counted and kept", async () => {
  await open("instructions");
  const form = region("Instructions");
  const field = form.getByLabel("What the LLM is told");
  await field.fill("x".repeat(20_001));
  await form.getByText("1 characters too many").waitFor();
  expect(await form.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
  await field.fill("Remember decisions.");
  await form.getByText("19 of 20,000 characters").waitFor();
  await press(form, "Save");
  await page.getByText("Instructions saved").waitFor();
  await page.reload();
  expect(await field.inputValue()).toBe("Remember decisions.");
});

test("categories are added, moved, removed, and brought back", async () => {
  await open("categories");
  await press(page, "Add");
  await page.getByText("It needs a name.").waitFor();
  await page.getByLabel("Name", { exact: true }).fill("Boats");
  await page.getByLabel("What its memories are about").fill("We sail a boat, the mast and the sails.");
  await press(page, "Done");
  await press(page, "Move Boats down");
  expect(await page.evaluate("document.activeElement.ariaLabel")).toBe("Move Boats down"); // the key goes along
  await press(page, "Remove relationships");
  const form = region("20 categories");
  await press(form, "Save");
  await page.getByText("Categories saved").waitFor();
  await page.reload();
  const first = page.getByRole("listitem").filter({ hasText: "Boats" });
  await first.waitFor();
  expect(await page.locator("ol > li").nth(1).textContent()).toContain("Boats");
  expect(await page.getByRole("button", { name: "Remove relationships" }).count()).toBe(0);
  await press(form, "Back to the defaults");
  await press(form, "Save");
  await page.getByRole("button", { name: "Remove relationships" }).waitFor();
  const second = async () =>
    (await server.ask<{ categories: { name: string }[] }>("GET", "/config/openmemory")).categories[1]?.name;
  await expect.poll(second, { timeout: 15_000 }).toBe("relationships"); // they are embedded before they are saved
});

test("rules archive what they say they would", async () => {
  const [old] = await server.remember("attic", "an old note", "a new note");
  // Nothing dates a memory back but the clock: this is the database, behind the server's back.
  const aged =
    "import sqlite3, sys; c = sqlite3.connect(sys.argv[1], timeout=10); c.execute(sys.argv[2], [sys.argv[3]]); c.commit()";
  const sql = "UPDATE memories SET created_at = '2020' || substr(created_at, 5) WHERE content = ?";
  execFileSync(PYTHON, ["-c", aged, join(folder, "test.db"), sql, "an old note"]);
  await open("retention");
  const form = region("Rules");
  await press(form, "Add a rule");
  await form.getByLabel("Name", { exact: true }).fill("attic");
  await form.getByLabel("Of the app").fill("attic");
  await form.getByLabel("Older than, in days").fill("");
  await form.getByText("It needs an age").waitFor();
  await form.getByLabel("Older than, in days").fill("365");
  await press(form, "Save");
  await page.getByText("Retention saved").waitFor();
  const preview = region("What would be archived now");
  await preview.getByRole("link", { name: "an old note" }).waitFor();
  expect(await preview.getByText("a new note").count()).toBe(0);
  await press(preview, "Archive now");
  await press(page.getByRole("dialog", { name: "Archive 1 memory?" }), "Archive");
  await preview.getByText("1 memory archived").waitFor();
  await preview.getByText("Nothing is due.").waitFor();
  expect((await server.ask<{ state: string }>("GET", `/memories/${old}`)).state).toBe("archived");
});

/** Puts one text in the place of another in the editor. */
async function rewrite(from: string, to: string): Promise<void> {
  const editor = page.getByRole("textbox", { name: "The configuration as JSON" });
  await editor.click();
  await page.keyboard.press("Control+f");
  await page.getByRole("textbox", { name: "Find" }).fill(from);
  await page.keyboard.press("End"); // the panel reads its field when a key is let go
  await page.keyboard.press("Enter");
  await page.keyboard.press("Escape");
  if (to === "") await page.keyboard.press("Delete");
  else await page.keyboard.insertText(to);
}

test("the JSON editor says what is wrong and where, and saves what is right", async () => {
  await open("json");
  await page.getByText("It fits the schema.").waitFor();
  await rewrite('"category_threshold": 0.2', '"category_threshold": 7');
  const problem = page.getByRole("button", { name: /openmemory\.category_threshold/ });
  await problem.waitFor();
  expect(await problem.textContent()).toMatch(/^Line \d+/);
  expect(await page.getByRole("button", { name: "Save" }).isDisabled()).toBe(true);
  await rewrite('"category_threshold": 7', '"category_threshold": 0.3, "surprise": 1');
  await page.getByRole("button", { name: /openmemory\.surprise.*there is no such key/ }).waitFor();
  await rewrite(', "surprise": 1', "");
  await page.getByText("It fits the schema.").waitFor();
  await press(page, "Save");
  await page.getByText("The configuration is saved").waitFor();
  expect((await server.ask<{ category_threshold: number }>("GET", "/config/openmemory")).category_threshold).toBe(0.3);

  await rewrite('"name": "relationships"', '"name": "Personal"'); // the schema cannot say this, the server does
  await press(page, "Save");
  await page.getByText("more than one category is called").waitFor();
  await page.getByRole("button", { name: /Go to line/ }).waitFor();

  await press(page, "Reset to defaults");
  await press(page.getByRole("dialog"), "Reset");
  await page.getByText("The configuration is that of a new server").waitFor();
  expect((await server.ask<{ category_threshold: number }>("GET", "/config/openmemory")).category_threshold).toBe(0.2);
});

test("who is no admin is told so", async () => {
  const made = await server.ask<{ key: string }>("POST", "/api-keys", { label: "plain", scopes: ["read", "write"] });
  const plain = await browser.newContext();
  const other = await plain.newPage();
  await other.goto(`${server.url}/dashboard/login/`);
  await other.getByLabel("API key", { exact: true }).and(other.locator("input")).fill(made.key);
  await other.getByRole("button", { name: "Sign in" }).click();
  await other.getByRole("navigation", { name: "Pages of the dashboard" }).waitFor();
  await other.getByRole("link", { name: "Settings" }).click();
  await other.getByRole("navigation", { name: "Settings" }).waitFor();
  expect(await other.getByRole("link", { name: "Models" }).count()).toBe(0);
  await plain.close();
});
