"use client";

import { useState } from "react";
import { CopyButton } from "../copy-button";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "../ui/tabs";

/** Who connects: `app` as which it writes (not named if the key is bound to it), and what it may. */
export type Connecting = { key: string; user: string; app?: string; mayRead?: boolean; mayWrite?: boolean };
type Way = { id: string; name: string; hint: string; command: (origin: string, who: Connecting) => string };

const quoted = (body: object) => JSON.stringify(body).replaceAll("'", "'\\''");

const WAYS: Way[] = [
  {
    id: "mcp",
    name: "MCP",
    hint: "For Claude Code and every other client that speaks the Model Context Protocol.",
    command: (origin, { key }) =>
      `claude mcp add --transport http commonplace ${origin}/mcp \\\n  --header "Authorization: Bearer ${key}"`,
  },
  {
    id: "json",
    name: "MCP, as JSON",
    hint: "For clients that are told about MCP servers in a file.",
    command: (origin, { key }) =>
      JSON.stringify(
        {
          mcpServers: {
            commonplace: { type: "http", url: `${origin}/mcp`, headers: { Authorization: `Bearer ${key}` } },
          },
        },
        null,
        2,
      ),
  },
  {
    id: "rest",
    name: "REST",
    hint: "For anything that can send a request.",
    command: (origin, { key, user, app, mayWrite = true }) => {
      const [path, sent] = mayWrite
        ? ["memories", { user_id: user, app, infer: false, text: "I prefer short answers." }]
        : ["memories/search", { query: "How should I answer?" }];
      return `curl ${origin}/api/v1/${path} \\\n  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\\n  -d '${quoted(sent as object)}'`;
    },
  },
  {
    id: "sdk",
    name: "Python",
    hint: "For a program of yours; `pip install httpx` first.",
    command: (origin, { key, user, mayRead = true, mayWrite = true }) =>
      [
        "import httpx\n",
        `memory = httpx.Client(base_url="${origin}/api/v1/", headers={"Authorization": "Bearer ${key}"})`,
        ...(mayWrite
          ? [
              `memory.post("memories", json={"user_id": ${JSON.stringify(user)}, "text": "I prefer short answers.", "infer": False})`,
            ]
          : []),
        ...(mayRead
          ? ['print(memory.post("memories/search", json={"query": "How should I answer?"}).json()["results"])']
          : []),
      ].join("\n"),
  },
];

/** Ready-made ways to connect with a key, each to be copied. */
export function Commands({ who }: { who: Connecting }) {
  const [origin] = useState(() => window.location.origin);
  return (
    <Tabs defaultValue="mcp">
      <TabsList aria-label="Ways to connect" className="overflow-x-auto">
        {WAYS.map(({ id, name }) => (
          <TabsTrigger key={id} value={id} className="whitespace-nowrap">
            {name}
          </TabsTrigger>
        ))}
      </TabsList>
      {WAYS.map((way) => {
        const command = way.command(origin, who);
        return (
          <TabsContent key={way.id} value={way.id} className="pt-3">
            <p className="mb-2 text-muted-foreground">{way.hint}</p>
            <div className="relative rounded-md border bg-muted">
              <pre
                // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys
                tabIndex={0}
                className="overflow-x-auto p-3 pr-12 font-mono text-[0.8125rem] leading-relaxed"
                data-testid={`command-${way.id}`}
              >
                {command}
              </pre>
              <div className="absolute top-1.5 right-1.5 rounded-md bg-muted">
                <CopyButton text={command} label={`Copy the ${way.name} command`} />
              </div>
            </div>
          </TabsContent>
        );
      })}
    </Tabs>
  );
}

/** A key that was just made: the only time that it is shown. */
export function Secret({ value, hasCommands = true }: { value: string; hasCommands?: boolean }) {
  return (
    <div role="status" className="rounded-md bg-good-soft px-3 py-2">
      <p className="text-good">
        This is the only time that it is shown.{hasCommands && " The commands below have it already."}
      </p>
      <p className="flex items-center gap-1">
        <code className="font-mono break-all">{value}</code>
        <CopyButton text={value} label="Copy the key" />
      </p>
    </div>
  );
}
