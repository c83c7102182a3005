"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { type ConfigSchema, type Configuration, useResetConfig } from "@/api/config";
import { PageHeader } from "@/components/page-header";
import { Confirm } from "@/components/settings/confirm";
import { useDraft } from "@/components/settings/draft";
import type { Problem } from "@/components/settings/json-problems";
import { WithConfig } from "@/components/settings/loaded";
import { SaveBar, useSaving } from "@/components/settings/saving";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";

const JsonEditor = dynamic(() => import("@/components/settings/json-editor"), {
  ssr: false,
  loading: () => <Skeleton className="h-[min(34rem,65vh)]" />,
});
const ProblemList = dynamic(() => import("@/components/settings/problem-list").then((it) => it.ProblemList), {
  ssr: false,
  loading: () => <div className="mt-2 min-h-7" />,
});

const written = (config: Configuration) => JSON.stringify(config, null, 2);

export default function Json() {
  return (
    <>
      <PageHeader
        title="Configuration as JSON"
        note="All of it. A masked secret stays the one that is kept; what a provider’s config does not name goes back to its default."
      />
      <WithConfig>{(config, schema) => <Whole config={config} schema={schema} />}</WithConfig>
    </>
  );
}

function Whole({ config, schema }: { config: Configuration; schema: ConfigSchema }) {
  const draft = useDraft(written(config));
  const resetting = useResetConfig();
  const [problems, setProblems] = useState<Problem[]>([]);
  const [place, setPlace] = useState<{ from: number } | null>(null);
  const [isAsked, setAsked] = useState(false);
  const saving = useSaving({
    draft,
    of: written,
    sent: (text) => ({ method: "PUT", sent: JSON.parse(text) }),
    told: "The configuration is saved",
  });
  function format() {
    try {
      draft.set(JSON.stringify(JSON.parse(draft.value), null, 2));
    } catch {
      setPlace(problems[0] ?? null); // it can only be formatted once it is JSON
    }
  }
  return (
    <>
      <JsonEditor text={draft.value} schema={schema} place={place} onChange={draft.set} onProblems={setProblems} />
      <ProblemList
        problems={problems}
        text={draft.value}
        refused={saving.error?.message}
        onGo={({ from }) => setPlace({ from })}
      />
      <SaveBar draft={draft} saving={{ ...saving, error: null }} isInvalid={problems.length > 0}>
        <Button onClick={format}>Format</Button>
        <Button disabled={resetting.isPending} onClick={() => setAsked(true)}>
          Reset to defaults
        </Button>
      </SaveBar>
      {isAsked && (
        <Confirm
          title="Reset the whole configuration?"
          action="Reset"
          isDanger
          isPending={resetting.isPending}
          onClose={() => setAsked(false)}
          onConfirm={() =>
            resetting.mutate(undefined, {
              onSuccess: (saved) => {
                draft.saved(written(saved));
                saving.forget();
              },
              onSettled: () => setAsked(false),
            })
          }
        >
          Models, keys, instructions, categories and rules go back to those of a new server. This cannot be undone; keys
          have to be entered again. Memories stay as they are.
        </Confirm>
      )}
    </>
  );
}
