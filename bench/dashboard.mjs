/** What a browser measures of the dashboard's pages, for `bench/dashboard.py`, which starts the server and prints.
 *
 *     node bench/dashboard.mjs '{"url": ..., "key": ..., "owner": ..., "memory": ..., "runs": 5, "throttle": 4}'
 *
 * Writes one JSON object a line: {"page", "figures": {name: number}}. A page is opened in a context of its own, signed
 * in, with an empty cache; figures are the browser's own entries (paint, layout-shift, longtask, event).
 */

import { createRequire } from "node:module";

const { chromium } = createRequire(new URL("../ui/package.json", import.meta.url))("playwright-core");
const asked = JSON.parse(process.argv[2]);
const QUIET_MS = 1_000; // without a long task or a request, until a page counts as loaded
const PAGES = {
  overview: "/",
  memories: "/memories/",
  memory: `/memory/?id=${asked.memory}`,
  search: "/search/?q=Which+violin+was+it",
  graph: "/graph/",
  "graph, 1,500": "/graph/?limit=1500",
};

/** Runs in the page, before its scripts. */
function observe() {
  const seen = { lcp: 0, fcp: 0, shifts: 0, tasks: [], events: [] };
  window.seen = seen;
  const watch = (type, take, more = {}) =>
    new PerformanceObserver((list) => list.getEntries().forEach(take)).observe({ type, buffered: true, ...more });
  watch("paint", (entry) => {
    if (entry.name === "first-contentful-paint") seen.fcp = entry.startTime;
  });
  watch("largest-contentful-paint", (entry) => {
    seen.lcp = entry.startTime;
  });
  watch("layout-shift", (entry) => {
    if (!entry.hadRecentInput) seen.shifts += entry.value;
  });
  watch("longtask", (entry) => seen.tasks.push([entry.startTime, entry.duration]));
  watch("event", (entry) => entry.interactionId && seen.events.push([entry.name, entry.duration]), {
    durationThreshold: 16,
  });
}

async function signedIn(browser) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 860 } });
  const page = await context.newPage();
  page.setDefaultTimeout(120_000);
  await page.goto(`${asked.url}/dashboard/login/`);
  await page.getByLabel("API key", { exact: true }).and(page.locator("input")).fill(asked.key);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages of the dashboard" }).waitFor();
  await page.evaluate((owner) => localStorage.setItem("commonplace.owner", owner), asked.owner);
  await page.goto("about:blank");
  return [context, page];
}

async function counting(page) {
  const session = await page.context().newCDPSession(page);
  const counted = { requests: 0, script: 0, data: 0, open: 0 };
  const types = new Map();
  await session.send("Network.enable");
  await session.send("Network.clearBrowserCache");
  await session.send("Emulation.setCPUThrottlingRate", { rate: asked.throttle });
  session.on("Network.requestWillBeSent", ({ requestId, type }) => {
    types.set(requestId, type);
    counted.requests += 1;
    counted.open += 1;
  });
  session.on("Network.loadingFinished", ({ requestId, encodedDataLength }) => {
    counted.open -= 1;
    if (types.get(requestId) === "Script") counted.script += encodedDataLength;
    else if (types.get(requestId) === "Fetch") counted.data += encodedDataLength;
  });
  session.on("Network.loadingFailed", () => {
    counted.open -= 1;
  });
  return counted;
}

/** Waits until nothing is busy, and nothing has been asked for or has taken long for a while. */
async function quiet(page) {
  await page.getByRole("heading", { level: 1 }).first().waitFor();
  if (page.url().includes("/graph/")) await page.locator("canvas[data-state=settled]").waitFor();
  await page.waitForFunction(() => !document.querySelector("[aria-busy=true], .animate-pulse"));
  await page.waitForFunction(
    (ms) => {
      const last = Math.max(
        ...window.seen.tasks.map(([start, duration]) => start + duration),
        ...performance.getEntriesByType("resource").map((entry) => entry.responseEnd),
      );
      return performance.now() - last > ms;
    },
    QUIET_MS,
    { polling: 100 },
  );
}

async function load(browser, address) {
  const [context, page] = await signedIn(browser);
  await page.addInitScript(observe);
  const counted = await counting(page);
  await page.goto(`${asked.url}/dashboard${address}`);
  await quiet(page);
  const seen = await page.evaluate(() => window.seen);
  const late = seen.tasks.filter(([start]) => start > seen.fcp).map(([, duration]) => duration);
  const figures = {
    "FCP ms": seen.fcp,
    "LCP ms": seen.lcp,
    CLS: seen.shifts,
    "TBT ms": late.reduce((sum, duration) => sum + Math.max(0, duration - 50), 0),
    "longest task ms": Math.max(0, ...late),
    "JS kB": counted.script / 1000,
    "data kB": counted.data / 1000,
    requests: counted.requests,
    "DOM nodes": await page.evaluate(() => document.querySelectorAll("*").length),
  };
  return [context, page, figures];
}

const STEPS = {
  "type a search": async (page) => {
    await page.getByRole("searchbox", { name: "Search memories" }).pressSequentially("violin in Lisbon", { delay: 60 });
    await page.getByText(/best match/).waitFor();
  },
  "clear it": async (page) => {
    await page.getByRole("searchbox", { name: "Search memories" }).fill("");
    await page.getByRole("navigation", { name: "Pages", exact: true }).waitFor();
  },
  "turn a page": async (page) => {
    const status = page.getByRole("navigation", { name: "Pages", exact: true }).getByRole("status");
    const before = await status.textContent();
    await page.getByRole("button", { name: "Next page" }).click();
    await page.waitForFunction(
      (text) => document.querySelector('nav[aria-label="Pages"] [role=status]')?.textContent !== text,
      before,
    );
  },
  "sort by text": (page) => page.getByRole("columnheader", { name: "Memory" }).getByRole("button").click(),
  "filter by category": async (page) => {
    await page.getByRole("search").getByRole("button", { name: "Category", exact: true }).click();
    await page.getByRole("checkbox").and(page.locator("[role=dialog] *")).first().click();
  },
};

/** Each step's worst interaction until the next paint, and how long until what it asked for was there. */
async function walk(page) {
  const figures = {};
  for (const [name, step] of Object.entries(STEPS)) {
    await page.evaluate(() => Object.assign(window.seen, { events: [], tasks: [[performance.now(), 0]] }));
    const begun = performance.now();
    await step(page);
    await page.waitForFunction(() => !document.querySelector("[aria-busy=true]"));
    const done = performance.now() - begun;
    await page.waitForTimeout(300); // the browser tells of events a little later
    const seen = await page.evaluate(() => window.seen);
    figures[`${name}: INP ms`] = Math.max(0, ...seen.events.map(([, duration]) => duration));
    figures[`${name}: done ms`] = done;
    figures[`${name}: longest task ms`] = Math.max(0, ...seen.tasks.map(([, duration]) => duration));
  }
  return figures;
}

const browser = await chromium.launch({
  executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium",
  args: ["--headless", "--no-sandbox", "--disable-gpu", "--disable-background-networking", "--disable-sync"],
});
const say = (page, figures) => process.stdout.write(`${JSON.stringify({ page, figures })}\n`);
for (let run = 0; run < asked.runs; run++) {
  for (const [name, address] of Object.entries(PAGES)) {
    const [context, page, figures] = await load(browser, address);
    say(name, figures);
    if (name === "memories") say("on the memories page", await walk(page));
    await context.close();
  }
}
await browser.close();
