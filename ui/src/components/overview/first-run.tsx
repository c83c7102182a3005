"use client";

import { CircleCheck, KeyRound, LoaderCircle } from "lucide-react";
import { useState } from "react";
import { useMakeKey } from "@/api/overview";
import { useMe, useSession } from "@/api/session";
import { CopyButton } from "../copy-button";
import { PageHeader } from "../page-header";
import { Button } from "../ui/button";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "../ui/tabs";

type Way = { id: string; name: string; hint: string; command: (origin: string, key: string, user: string) => string };

const WAYS: Way[] = [
  {
    id: "mcp",
    name: "MCP",
    hint: "For Claude Code and every other client that speaks the Model Context Protocol.",
    command: (origin, key) =>
      `claude mcp add --transport http commonplace ${origin}/mcp \\\n  --header "Authorization: Bearer ${key}"`,
  },
  {
    id: "rest",
    name: "REST",
    hint: "For anything that can send a request.",
    command: (origin, key, user) =>
      `curl ${origin}/api/v1/memories \\\n  -H "Authorization: Bearer ${key}" -H "Content-Type: application/json" \\\n  -d '${JSON.stringify({ user_id: user, app: "first-agent", infer: false, text: "I prefer short answers." }).replaceAll("'", "'\\''")}'`,
  },
  {
    id: "sdk",
    name: "Python",
    hint: "For a program of yours; `pip install httpx` first.",
    command: (origin, key, user) =>
      `import httpx\n\nmemory = httpx.Client(base_url="${origin}/api/v1/", headers={"Authorization": "Bearer ${key}"})\nmemory.post("memories", json={"user_id": ${JSON.stringify(user)}, "text": "I prefer short answers.", "infer": False})\nprint(memory.post("memories/search", json={"query": "How should I answer?"}).json()["results"])`,
  },
];
const PLACEHOLDER = "cp_YOUR_KEY";

/** What a new owner sees: how to connect an agent, and whether its first memory has arrived. */
export function FirstRun({ hasArrived, onDone }: { hasArrived: boolean; onDone: () => void }) {
  const me = useMe();
  const { session } = useSession();
  const made = useMakeKey();
  const [origin] = useState(() => window.location.origin);
  const key = made.data?.key ?? PLACEHOLDER;
  const isOpen = session.state === "in" && session.how === "open";
  return (
    <div className="mx-auto max-w-3xl">
      <PageHeader
        title="Connect your first agent"
        note="Three ways in. Whichever you take, what it remembers appears here."
      />
      <ol className="grid gap-8">
        <li>
          <h2 className="mb-2">1. Make a key for it</h2>
          {made.data ? (
            <div role="status" className="rounded-md bg-good-soft px-3 py-2">
              <p className="text-good">This is the only time that it is shown. The commands below have it already.</p>
              <p className="flex items-center gap-1">
                <code className="font-mono break-all">{made.data.key}</code>
                <CopyButton text={made.data.key} label="Copy the key" />
              </p>
            </div>
          ) : (
            <Button variant="primary" disabled={made.isPending} onClick={() => made.mutate("first agent")}>
              <KeyRound /> Make a key
            </Button>
          )}
          {isOpen && (
            <p className="mt-2 text-muted-foreground">
              This server is open: a key is not needed, but tells agents apart.
            </p>
          )}
        </li>
        <li>
          <h2 className="mb-2">2. Connect it</h2>
          <Tabs defaultValue="mcp">
            <TabsList aria-label="Ways to connect">
              {WAYS.map(({ id, name }) => (
                <TabsTrigger key={id} value={id}>
                  {name}
                </TabsTrigger>
              ))}
            </TabsList>
            {WAYS.map((way) => {
              const command = way.command(origin, key, me.user.user_id);
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
                    <div className="absolute top-1.5 right-1.5">
                      <CopyButton text={command} label={`Copy the ${way.name} command`} />
                    </div>
                  </div>
                </TabsContent>
              );
            })}
          </Tabs>
        </li>
        <li>
          <h2 className="mb-2">3. Have it remember something</h2>
          <div aria-live="polite">
            {hasArrived ? (
              <div className="flex flex-wrap items-center gap-3 rounded-md bg-good-soft px-3 py-2.5 text-good">
                <CircleCheck className="size-5" />
                <span className="font-medium">The first memory has arrived.</span>
                <Button size="small" className="ml-auto text-foreground" onClick={onDone}>
                  To the overview
                </Button>
              </div>
            ) : (
              <p className="flex items-center gap-2.5 rounded-md border border-dashed px-3 py-2.5 text-muted-foreground">
                <LoaderCircle className="size-4 animate-spin" /> Waiting for the first memory
              </p>
            )}
          </div>
        </li>
      </ol>
    </div>
  );
}
