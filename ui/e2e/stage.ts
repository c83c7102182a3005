/**
 * What most files of tests work on: a server, a browser that is signed in to it, and a new page for each test, which
 * must end without an error in it. What is exported is there from the first test on; `onStage` sets it up.
 */

import type { Browser, BrowserContext, BrowserContextOptions, Page } from "playwright-core";
import { afterAll, afterEach, beforeAll, beforeEach, expect } from "vitest";
import { launch, Server, signIn } from "./server";

export let server: Server;
export let browser: Browser;
export let context: BrowserContext;
export let page: Page;
let failures: string[] = [];

type Wanted = {
  /** Settings of the server, beside the usual ones. */
  environment?: Record<string, string>;
  /** How the browser is; its window is as wide as a laptop's. */
  browsing?: BrowserContextOptions;
  /** What is there before anybody signs in. */
  prepare?: () => Promise<unknown>;
};

export function onStage({ environment, browsing, prepare }: Wanted = {}): void {
  beforeAll(async () => {
    [server, browser] = await Promise.all([Server.start(environment), launch()]);
    await prepare?.();
    context = await browser.newContext({ viewport: { width: 1280, height: 860 }, ...browsing });
    const first = await context.newPage();
    await signIn(first, server.url);
    await first.close();
  });
  afterAll(async () => {
    await browser?.close();
    await server?.stop();
  });
  beforeEach(async () => {
    page = await opened(context);
  });
  afterEach(async () => {
    await page.close();
    expectNoFailure();
  });
}

/** A new page, whose errors and refusals by the policy are kept for `expectNoFailure`. */
export async function opened(where: BrowserContext): Promise<Page> {
  const one = await where.newPage();
  one.setDefaultTimeout(15_000);
  one.on("pageerror", (error) => failures.push(error.message));
  one.on("console", (message) => message.text().includes("Content Security Policy") && failures.push(message.text()));
  return one;
}

/** Nothing went wrong in any page since this was asked last. */
export function expectNoFailure(): void {
  const found = failures;
  failures = [];
  expect(found).toEqual([]);
}
