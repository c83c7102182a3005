/** The import page and the backups, as a person uses them. */

import { readFileSync } from "node:fs";
import { join } from "node:path";
import { deflateRawSync } from "node:zlib";
import { expect, test } from "vitest";
import { Server, signIn } from "./server";
import { browser, onStage, page, server } from "./stage";

const AXE = readFileSync(join(import.meta.dirname, "../node_modules/axe-core/axe.min.js"), "utf8");
const PICTURES = join(import.meta.dirname, "../screenshots");

onStage();

const open = (address: string) => page.goto(`${server.url}/dashboard${address}`);
const choose = (name: string, text: string | Buffer) =>
  page.getByLabel("File to import").setInputFiles({
    name,
    mimeType: "application/octet-stream",
    buffer: typeof text === "string" ? Buffer.from(text) : text,
  });
const said = async (path: string) =>
  (await server.ask<{ items: { content: string }[] }>("GET", path)).items.map(({ content }) => content).sort();

/** A zip of one file, by hand: Node can deflate, and has no zips. */
function zip(name: string, text: string): Buffer {
  const data = Buffer.from(text);
  const packed = deflateRawSync(data);
  const head = Buffer.alloc(26);
  head.writeUInt16LE(20, 0);
  head.writeUInt16LE(8, 4);
  head.writeUInt32LE(crc32(data), 10);
  head.writeUInt32LE(packed.length, 14);
  head.writeUInt32LE(data.length, 18);
  head.writeUInt16LE(name.length, 22);
  const local = Buffer.concat([Buffer.from("PK\x03\x04"), head, Buffer.from(name), packed]);
  const rest = Buffer.alloc(14);
  const central = Buffer.concat([Buffer.from("PK\x01\x02\x14\x00"), head, rest, Buffer.from(name)]);
  const end = Buffer.alloc(18);
  end.writeUInt16LE(1, 4);
  end.writeUInt16LE(1, 6);
  end.writeUInt32LE(central.length, 8);
  end.writeUInt32LE(local.length, 12);
  return Buffer.concat([local, central, Buffer.from("PK\x05\x06"), end]);
}

function crc32(data: Buffer): number {
  let crc = ~0;
  for (const byte of data) {
    crc ^= byte;
    for (let bit = 0; bit < 8; bit++) crc = (crc >>> 1) ^ (crc & 1 ? 0xedb88320 : 0);
  }
  return ~crc >>> 0;
}

function chat(id: string, title: string, ...texts: string[]) {
  const mapping: Record<string, unknown> = { root: { message: null, parent: null } };
  texts.forEach((text, place) => {
    mapping[`n${place}`] = {
      parent: place ? `n${place - 1}` : "root",
      message: {
        author: { role: place % 2 ? "assistant" : "user" },
        content: { content_type: "text", parts: [text] },
        create_time: 1_750_000_000 + place,
      },
    };
  });
  return { conversation_id: id, title, create_time: 1_750_000_000, mapping, current_node: `n${texts.length - 1}` };
}

test("notes are looked at, imported, found by their app, and taken back", async () => {
  await open("/import/");
  await choose(
    "notes.md",
    "# Home\n\n- The cat is called Mia\n- The garden faces south\n\n# Work\n\nDeploys on Tuesdays.\n",
  );
  await page.getByRole("button", { name: "Import 3 memories" }).waitFor();
  await page.getByText("The cat is called Mia").waitFor();
  expect(await said("/memories?app=notes")).toEqual([]);
  await page.getByLabel("App", { exact: true }).fill("notes");
  await page.getByLabel("Tags").fill("old, paper");
  await page.screenshot({ path: join(PICTURES, "import-preview.png"), fullPage: true });
  await page.getByRole("button", { name: "Import 3 memories" }).click();
  await page.getByText("3 memories imported.").waitFor();
  await page.screenshot({ path: join(PICTURES, "import-result.png"), fullPage: true });

  await page.getByRole("button", { name: "Import another file" }).click();
  await choose("notes.md", "- The cat is called Mia\n- The garden faces south\n");
  await page.getByText("Nothing to import").waitFor();
  await page.getByText("All of it is here already").waitFor();

  await page.getByRole("link", { name: "notes.md" }).first().click();
  await page.getByRole("link", { name: "See the memories" }).click();
  await page.waitForURL(/\/memories\/\?apps=notes/);
  await page.getByRole("row").filter({ hasText: "The garden faces south" }).waitFor();

  await page.goBack();
  await page.getByRole("button", { name: "Take it back" }).click();
  await page.getByRole("dialog").getByRole("button", { name: "Take it back" }).click();
  await page.getByRole("region", { name: "Import of notes.md" }).getByText("taken back", { exact: true }).waitFor();
  expect(await said("/memories")).toEqual([]);
});

test("of a ChatGPT export what was said in the chosen conversation is kept", async () => {
  const chats = [
    chat("c1", "Sailing plans", "I sail on Sundays", "Lovely", "My boat is blue"),
    chat("c2", "Bread", "Bread costs three euros"),
  ];
  await open("/import/");
  await choose("export.zip", zip("conversations.json", JSON.stringify(chats)));
  await page.getByText("No model is configured").waitFor();
  expect(await page.getByRole("radio", { name: /Learn from them/ }).isDisabled()).toBe(true);
  await page.getByRole("button", { name: "Import 2 conversations" }).waitFor();
  await page.screenshot({ path: join(PICTURES, "import-conversations.png"), fullPage: true });
  await page.getByRole("searchbox", { name: "Find conversations by title" }).fill("bread");
  await page.getByRole("checkbox", { name: "Choose all that match" }).click();
  await page.getByRole("button", { name: "Import 1 conversation" }).click();
  await page.getByText("2 memories imported.").waitFor();
  expect(await said("/memories")).toEqual(["I sail on Sundays", "My boat is blue"]);
});

test.each(["light", "dark"] as const)("a preview shuts nobody out on a phone, %s", async (colorScheme) => {
  // axe is put into the page by a script of the test's, which the policy would refuse.
  const phone = await browser.newPage({ viewport: { width: 360, height: 760 }, colorScheme, bypassCSP: true });
  phone.setDefaultTimeout(15_000);
  try {
    await signIn(phone, server.url);
    await phone.goto(`${server.url}/dashboard/import/`);
    const lines = [JSON.stringify({ memory: `${"a".repeat(90)} is a word`, categories: ["long ones"] }), "broken"];
    const chats = [chat("c9", "A title that is rather long for a phone, and goes on", "I row", "Nice")];
    const buffer = Buffer.from([...chats.map((one) => JSON.stringify(one)), ...lines].join("\n"));
    await phone.getByLabel("File to import").setInputFiles({ name: "mixed.jsonl", mimeType: "text/plain", buffer });
    await phone.getByText("1 record that cannot be read").click();
    await phone.getByText("not valid JSON").waitFor();
    await phone.screenshot({ path: join(PICTURES, `import-preview-${colorScheme}-phone.png`), fullPage: true });
    expect(await phone.evaluate("document.documentElement.scrollWidth - innerWidth")).toBeLessThanOrEqual(0);
    await phone.evaluate(AXE);
    const wrong = await phone.evaluate(
      "axe.run(document).then(({ violations }) => violations.filter(({ impact }) => /serious|critical/.test(impact)).map(({ help, nodes }) => help + nodes[0].html))",
    );
    expect(wrong).toEqual([]);
  } finally {
    await phone.close();
  }
});

test("a file that is nothing is refused with what was seen in it", async () => {
  await open("/import/");
  await choose("settings.json", '{"answer": 42, "question": null}');
  await page.getByText("settings.json cannot be imported").waitFor();
  await page.getByText("keys answer, question").waitFor();
  await page.getByRole("button", { name: "Choose another file" }).click();
  await choose("picture.png", Buffer.from([0x89, 0x50, 0x4e, 0x47, 0xff, 0x00]));
  await page.getByText("not UTF-8 text").waitFor();
  await page.getByRole("button", { name: "Choose another file" }).click();
  await page.getByRole("button", { name: "Choose a file" }).focus();
  expect(await page.evaluate("document.activeElement.textContent")).toContain("Choose a file");
});

test("a backup is downloaded and brought back on an empty server", { timeout: 60_000 }, async () => {
  const before = await said("/memories");
  expect(before.length).toBeGreaterThan(0);
  await open("/settings/backups/");
  await page.getByText(`${before.length} memories`).waitFor();
  const [download] = await Promise.all([
    page.waitForEvent("download"),
    page.getByRole("button", { name: "Download" }).click(),
  ]);
  expect(download.suggestedFilename()).toMatch(/^commonplace-sam-\d{4}-\d\d-\d\d\.zip$/);
  const backup = readFileSync(await download.path());

  const other = await Server.start();
  const guest = await browser.newPage();
  guest.setDefaultTimeout(15_000);
  try {
    await signIn(guest, other.url);
    await guest.goto(`${other.url}/dashboard/settings/backups/`);
    await guest
      .getByLabel("File to import")
      .setInputFiles({ name: "backup.zip", mimeType: "application/zip", buffer: backup });
    await guest.getByText("Backup of Commonplace or OpenMemory").waitFor();
    await guest.screenshot({ path: join(PICTURES, "import-backup.png"), fullPage: true });
    await guest.getByRole("button", { name: `Import ${before.length} memories` }).click();
    await guest.getByText(`${before.length} memories imported.`).waitFor();
    const found = await other.ask<{ items: { content: string }[] }>("GET", "/memories");
    expect(found.items.map(({ content }) => content).sort()).toEqual(before);
  } finally {
    await guest.close();
    await other.stop();
  }
});
