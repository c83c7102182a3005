"use client";

import { Eye, EyeOff } from "lucide-react";
import Link from "next/link";
import { useState } from "react";
import { type Reader, RULES_A_PAGE, useReaders, useRuleChanges } from "@/api/rules";
import { useMayWrite } from "@/api/session";
import { Section } from "../page-header";
import { Pager } from "../pager";
import { Failure } from "../states";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";

const WHYS: Record<NonNullable<Reader["why"]>, string> = {
  state: "no: it is shown to no app in this state",
  paused: "no: the app is paused",
  denied: "no: hidden from it",
  nothing: "no: all is hidden from it",
  others: "no: allowed only others",
};

/** Which apps may see the memory; it is hidden from one, and shown to it again, right here. */
export function Readers({ id }: { id: string }) {
  const [page, setPage] = useState(1);
  const readers = useReaders(id, page);
  const mayWrite = useMayWrite();
  return (
    <Section title="Who may see it">
      {readers.isError && <Failure error={readers.error} retry={() => void readers.refetch()} />}
      {readers.isPending && <Skeleton className="h-16 w-full" />}
      {readers.data?.total === 0 && <p className="text-muted-foreground">There is no app yet.</p>}
      <ul className="grid gap-1">
        {readers.data?.items.map((reader) => (
          <li key={reader.app_id} className="flex min-h-8 items-center gap-2">
            <div className="min-w-0 flex-1 break-words">
              <Link href={`/app/?id=${reader.app_id}`} prefetch={false} className="font-medium hover:text-accent">
                {reader.app_name}
              </Link>{" "}
              <span className="text-muted-foreground">{reader.why ? WHYS[reader.why] : "yes"}</span>
            </div>
            {mayWrite && <Toggle memoryId={id} reader={reader} />}
          </li>
        ))}
      </ul>
      {readers.data && readers.data.total > RULES_A_PAGE && (
        <Pager page={page} size={RULES_A_PAGE} total={readers.data.total} onPage={setPage} />
      )}
    </Section>
  );
}

function Toggle({ memoryId, reader }: { memoryId: string; reader: Reader }) {
  const { put, remove } = useRuleChanges();
  const { app_id: appId, app_name: name, rule_id: ruleId, why } = reader;
  const isBusy = put.isPending || remove.isPending;
  if (why === "denied" && ruleId) {
    const rule = { id: ruleId, effect: "deny" as const, memory_id: memoryId };
    return (
      <Button
        variant="ghost"
        size="icon-small"
        disabled={isBusy}
        aria-label={`Show it to ${name}`}
        title={`Show it to ${name}`}
        onClick={() => remove.mutate({ appId, rule, done: `${name} is shown it again` })}
      >
        <Eye />
      </Button>
    );
  }
  if (why === "others" || why === null) {
    const isShown = why === null;
    return (
      <Button
        variant="ghost"
        size="icon-small"
        disabled={isBusy}
        aria-label={isShown ? `Hide it from ${name}` : `Show it to ${name}`}
        title={isShown ? `Hide it from ${name}` : `Show it to ${name}`}
        onClick={() =>
          put.mutate({
            appId,
            memoryId,
            effect: isShown ? "deny" : "allow",
            done: isShown ? `Hidden from ${name}` : `${name} may see it`,
          })
        }
      >
        {isShown ? <EyeOff /> : <Eye />}
      </Button>
    );
  }
  return null;
}
