/** A real server with an empty database for one file of tests, and a browser that looks at it. */

import { type ChildProcess, spawn } from "node:child_process";
import { existsSync, mkdtempSync, rmSync, symlinkSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join, resolve } from "node:path";
import { type Browser, chromium, type Page } from "playwright-core";

const ROOT = resolve(import.meta.dirname, "../..");
const PYTHON = process.env.COMMONPLACE_PYTHON ?? join(ROOT, ".venv/bin/python");
const MODELS = join(ROOT, "data/test-models"); // made once a checkout, by whichever test comes first
export const KEY = "cp_the_owner_of_the_browser_tests";
const START_MS = 40_000;
const FLAGS = [
  "--headless",
  "--no-sandbox",
  "--disable-gpu",
  "--disable-quic",
  "--no-first-run",
  "--disable-background-networking",
  "--disable-component-update",
  "--disable-sync",
];

function freePort(): Promise<number> {
  return new Promise((done) => {
    const probe = createServer();
    probe.listen(0, "127.0.0.1", () => {
      const address = probe.address();
      probe.close(() => done(typeof address === "object" && address ? address.port : 0));
    });
  });
}

/** `commonplace serve` on a free port; it can be stopped and started again on the same data. */
export class Server {
  private process: ChildProcess | null = null;
  private output = "";

  private constructor(
    readonly url: string,
    private readonly port: number,
    private readonly folder: string,
    private readonly environment: Record<string, string>,
  ) {}

  static async start(environment: Record<string, string> = {}): Promise<Server> {
    const folder = mkdtempSync(join(tmpdir(), "commonplace-"));
    if (existsSync(MODELS)) symlinkSync(MODELS, join(folder, "models"));
    const port = await freePort();
    const server = new Server(`http://127.0.0.1:${port}`, port, folder, environment);
    await server.up().catch(async (error) => {
      await server.stop();
      throw error;
    });
    return server;
  }

  async up(): Promise<void> {
    this.process = spawn(PYTHON, ["-c", "from app.cli import main; main()", "serve"], {
      cwd: this.folder, // away from anybody's .env
      env: {
        ...process.env,
        PYTHONPATH: join(ROOT, "api"),
        DATA_DIR: this.folder,
        PORT: String(this.port),
        ADMIN_API_KEY: KEY,
        DEFAULT_USER_ID: "sam",
        LOG_LEVEL: "WARNING",
        RATE_LIMIT_LOGIN: "off", // the tests sign in more often than a person
        ...this.environment,
      },
    });
    for (const stream of [this.process.stdout, this.process.stderr]) {
      stream?.on("data", (chunk) => {
        this.output += chunk;
      });
    }
    const end = Date.now() + START_MS;
    while (!(await this.isReady())) {
      if (Date.now() > end || this.process.exitCode !== null) throw new Error(`No server: ${this.output}`);
      await new Promise((done) => setTimeout(done, 150));
    }
  }

  private async isReady(): Promise<boolean> {
    try {
      const answer = await fetch(`${this.url}/health`);
      return /"engine":\s*"ready"/.test(await answer.text());
    } catch {
      return false;
    }
  }

  /** The server is gone, its data stay. */
  async down(): Promise<void> {
    const running = this.process;
    this.process = null;
    if (!running || running.exitCode !== null) return;
    await new Promise<void>((done) => {
      running.once("exit", () => done());
      running.kill("SIGKILL");
    });
  }

  async stop(): Promise<void> {
    await this.down();
    rmSync(this.folder, { recursive: true, force: true });
  }

  /** A request to the API, as the owner. */
  async ask<T>(method: string, path: string, body?: unknown): Promise<T> {
    const answer = await fetch(`${this.url}/api/v1${path}`, {
      method,
      headers: { Authorization: `Bearer ${KEY}`, "Content-Type": "application/json" },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    if (!answer.ok) throw new Error(`${method} ${path}: ${answer.status} ${await answer.text()}`);
    return (await answer.json()) as T;
  }

  /** A file that is imported, all of it; the import's id. */
  async bring(name: string, text: string, options: { app?: string } = {}): Promise<string> {
    const form = new FormData();
    form.append("file", new File([text], name));
    form.append("options", JSON.stringify(options));
    const headers = { Authorization: `Bearer ${KEY}` };
    const answer = await fetch(`${this.url}/api/v1/imports`, { method: "POST", headers, body: form });
    let task = (await answer.json()) as { id: string; status: string };
    while (["pending", "processing"].includes(task.status)) {
      await new Promise((done) => setTimeout(done, 50));
      task = await this.ask("GET", `/imports/${task.id}`);
    }
    return task.id;
  }

  /** Memories of these texts, written by `app`; their ids. */
  async remember(app: string, ...texts: string[]): Promise<string[]> {
    const memories = texts.map((text) => ({ text, metadata: { author: "Ann", session: "s1" } }));
    const made = await this.ask<{ results: { id: string }[] }>("POST", "/memories/bulk", { app, memories });
    return made.results.map(({ id }) => id);
  }
}

export function launch(): Promise<Browser> {
  return chromium.launch({ executablePath: process.env.CHROMIUM ?? "/usr/bin/chromium", args: FLAGS });
}

/** Signs in by the owner's key. */
export async function signIn(page: Page, url: string): Promise<void> {
  await page.goto(`${url}/dashboard/login/`);
  await page.getByLabel("API key", { exact: true }).and(page.locator("input")).fill(KEY);
  await page.getByRole("button", { name: "Sign in" }).click();
  await page.getByRole("navigation", { name: "Pages of the dashboard" }).waitFor();
}
