"use client";

import { Eye, EyeOff, Search, X } from "lucide-react";
import { useDeferredValue, useState } from "react";
import { type Effect, RULES_A_PAGE, type Rule, useCandidates, useRuleChanges, useRules } from "@/api/rules";
import { useMayWrite } from "@/api/session";
import { brief, grouped } from "@/format";
import { Expandable } from "../expandable";
import { StateBadge } from "../memories/state-badge";
import { Pager } from "../pager";
import { Failure } from "../states";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Field, Input } from "../ui/field";
import { Skeleton } from "../ui/skeleton";

type App = { id: string; name: string };
type Page = NonNullable<ReturnType<typeof useRules>["data"]>;

/** What an app may see, in sentences, and what can be changed about it. */
export function Rules({ app }: { app: App }) {
  const [page, setPage] = useState(1);
  const rules = useRules(app.id, page);
  const mayWrite = useMayWrite();
  if (rules.isError) return <Failure error={rules.error} retry={() => void rules.refetch()} />;
  if (rules.isPending) return <Skeleton className="mt-3 h-64 w-full" />;
  return (
    <div className="grid gap-5 pt-4">
      <General app={app} page={rules.data} mayWrite={mayWrite} />
      {mayWrite && <AddRule app={app} owner={rules.data.user_id} sees={rules.data.sees} />}
      <ul>
        {rules.data.items.map((rule) => (
          <Line key={rule.id} app={app} rule={rule} mayWrite={mayWrite} />
        ))}
      </ul>
      {rules.data.total > RULES_A_PAGE && (
        <Pager page={page} size={RULES_A_PAGE} total={rules.data.total} onPage={setPage} />
      )}
    </div>
  );
}

/** What holds for the memories that no rule names. */
function General({ app, page, mayWrite }: { app: App; page: Page; mayWrite: boolean }) {
  const { put, remove } = useRuleChanges();
  const isBusy = put.isPending || remove.isPending;
  const forAll = page.items.filter((rule) => rule.memory_id === null);
  const denied = forAll.find((rule) => rule.effect === "deny");
  const isNarrowed = page.sees === "nothing" && !denied;
  const all = (effect: Effect, done: string) => put.mutate({ appId: app.id, effect, memoryId: null, done });
  return (
    <div className="flex flex-wrap items-center justify-between gap-3 rounded-md border bg-raised px-4 py-3">
      <div className="min-w-0 flex-1 basis-64">
        <p className="flex items-center gap-2 font-medium">
          {page.sees === "everything" ? <Eye className="size-4" /> : <EyeOff className="size-4" />}
          {denied ? "It sees nothing" : isNarrowed ? "It sees only what is allowed below" : said(page)}
        </p>
        <p className="text-muted-foreground">
          {denied
            ? "All memories are hidden from it, through every protocol. What it writes is kept."
            : isNarrowed
              ? "Every other memory is hidden from it, new ones too. Take the last one away and it sees everything."
              : "Active memories of its owner, whoever wrote them."}
        </p>
      </div>
      {mayWrite &&
        (denied ? (
          <Button
            size="small"
            disabled={isBusy}
            onClick={() => remove.mutate({ appId: app.id, rule: denied, done: `${app.name} is shown memories again` })}
          >
            <Eye /> Show again
          </Button>
        ) : (
          <span className="flex flex-wrap gap-2">
            {isNarrowed && (
              <Button size="small" disabled={isBusy} onClick={() => all("allow", `${app.name} sees the others, too`)}>
                <Eye /> Show the others, too
              </Button>
            )}
            <Button size="small" disabled={isBusy} onClick={() => all("deny", `All is hidden from ${app.name}`)}>
              <EyeOff /> Hide everything
            </Button>
          </span>
        ))}
    </div>
  );
}

function said(page: Page): string {
  const hidden = page.items.some((rule) => rule.effect === "deny");
  return hidden || page.total > page.items.length
    ? "It sees everything but what is hidden below"
    : "It sees everything";
}

/** One memory is looked for, and hidden or allowed. */
function AddRule({ app, owner, sees }: { app: App; owner: string; sees: Page["sees"] }) {
  const [text, setText] = useState("");
  const query = useDeferredValue(text.trim());
  const found = useCandidates(owner, query);
  const { put } = useRuleChanges();
  function make(effect: Effect, memoryId: string) {
    const done = effect === "deny" ? `Hidden from ${app.name}` : `${app.name} may see it`;
    put.mutate({ appId: app.id, effect, memoryId, done });
    setText("");
  }
  return (
    <search className="grid gap-2">
      <Field label="Hide or allow one memory">
        {(id) => (
          <span className="relative">
            <Search className="absolute top-2.5 left-3 size-4 text-muted-foreground" />
            <Input
              id={id}
              type="search"
              className="pl-9"
              placeholder="Find it by what it says"
              value={text}
              onChange={(event) => setText(event.target.value)}
            />
          </span>
        )}
      </Field>
      {query !== "" && found.isError && <p className="text-danger">{found.error.message}</p>}
      {query !== "" && found.data && (
        <ul aria-label="Memories found" className="rounded-md border bg-raised px-3">
          {found.data.results.length === 0 && <li className="py-2.5 text-muted-foreground">Nothing like that.</li>}
          {found.data.results.map((memory) => (
            <li key={memory.id} className="flex flex-wrap items-start gap-x-3 gap-y-2 border-b py-2.5 last:border-0">
              <div className="min-w-0 flex-1 basis-56">
                <Expandable text={memory.content} lines={2} />
              </div>
              <span className="flex gap-2">
                <Button
                  size="small"
                  aria-label={`Hide ${brief(memory.content, 40)}`}
                  onClick={() => make("deny", memory.id)}
                >
                  <EyeOff /> Hide
                </Button>
                <Button
                  size="small"
                  aria-label={`Allow ${sees === "everything" ? "only " : ""}${brief(memory.content, 40)}`}
                  onClick={() => make("allow", memory.id)}
                >
                  <Eye /> {sees === "everything" ? "Allow only" : "Allow"}
                </Button>
              </span>
            </li>
          ))}
        </ul>
      )}
    </search>
  );
}

function Line({ app, rule, mayWrite }: { app: App; rule: Rule; mayWrite: boolean }) {
  const { remove } = useRuleChanges();
  const isDeny = rule.effect === "deny";
  const about =
    rule.memory_id === null ? "all memories" : rule.content ? brief(rule.content, 40) : "a memory that is gone";
  return (
    <li className="flex items-start gap-3 border-b py-2.5">
      <Badge tone={isDeny ? "warning" : "good"} className="mt-0.5">
        {isDeny ? <EyeOff /> : <Eye />} {isDeny ? "hidden" : "allowed"}
      </Badge>
      <div className="min-w-0 flex-1">
        {rule.memory_id === null ? (
          <p className="font-medium">All memories</p>
        ) : rule.content === null ? (
          <p className="text-muted-foreground">A memory that is gone for good</p>
        ) : (
          <Expandable text={rule.content} lines={2} href={`/memory/?id=${rule.memory_id}`} />
        )}
        <p className="mt-1 flex flex-wrap items-center gap-2 text-xs text-muted-foreground">
          {rule.state !== null && rule.state !== "active" && <StateBadge state={rule.state} />}
          since <Time at={rule.created_at} />
        </p>
      </div>
      {mayWrite && (
        <Button
          variant="ghost"
          size="icon-small"
          aria-label={`Take away: ${isDeny ? "hide" : "allow"} ${about}`}
          disabled={remove.isPending}
          onClick={() => remove.mutate({ appId: app.id, rule, done: `${app.name}: the rule is gone` })}
        >
          <X />
        </Button>
      )}
    </li>
  );
}

/** How many rules there are, for a heading. */
export function RuleCount({ appId }: { appId: string }) {
  const rules = useRules(appId, 1);
  return rules.data && rules.data.total > 0 ? <> {grouped(rules.data.total)}</> : null;
}
