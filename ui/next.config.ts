import type { NextConfig } from "next";

const isDev = process.env.NODE_ENV === "development";
const server = process.env.COMMONPLACE_URL ?? "http://127.0.0.1:8765";

// Built, it is a folder of files that the server hands out under /dashboard. While developing, Next serves the pages
// and passes everything else on to a server that runs: the browser sees one origin either way.
const config: NextConfig = {
  basePath: "/dashboard",
  trailingSlash: true,
  reactStrictMode: true,
  devIndicators: false,
  ...(isDev
    ? {
        skipTrailingSlashRedirect: true,
        rewrites: async () =>
          ["/api/:path*", "/health", "/docs", "/openapi.json"].map((source) => ({
            source,
            destination: `${server}${source}`,
            basePath: false as const,
          })),
      }
    : { output: "export" }),
};

export default config;
