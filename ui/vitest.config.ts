import { defineConfig } from "vitest/config";

const alias = { "@": new URL("./src", import.meta.url).pathname };

export default defineConfig({
  test: {
    maxWorkers: 2, // a file in the browser has a server and a Chromium of its own, and machines have few cores
    projects: [
      {
        resolve: { alias },
        oxc: { jsx: { runtime: "automatic" } },
        test: {
          name: "components",
          environment: "jsdom",
          include: ["src/**/*.test.{ts,tsx}"],
          setupFiles: ["./src/testing.setup.ts"],
        },
      },
      {
        resolve: { alias },
        test: { name: "pictures", environment: "node", include: ["e2e/pictures.ts"], hookTimeout: 60_000 },
      },
      {
        resolve: { alias },
        test: {
          name: "browser",
          environment: "node",
          include: ["e2e/**/*.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
    ],
  },
});
