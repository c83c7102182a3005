"use client";

import type { Schemas } from "@/api/client";
import { useSources } from "@/api/memory";
import { Expandable } from "../expandable";
import { Section } from "../page-header";
import { Failure } from "../states";
import { Time } from "../time";
import { Skeleton } from "../ui/skeleton";
import { Pairs } from "./facts";

const NAMES: Record<string, string> = { model: "Model", prompt_version: "Prompt version", event_id: "Receipt" };

/** Of a memory that a model made: by which model and prompt, and of which messages. */
export function Provenance({ memory }: { memory: Schemas["MemoryOne"] }) {
  const { messages, ...rest } = memory.provenance ?? {};
  const isMade = Array.isArray(messages) && messages.length > 0;
  const sources = useSources(memory.id, isMade);
  if (!memory.provenance) {
    return (
      <Section title="Where it came from">
        <p>
          Written word for word by <span className="font-medium">{memory.app_name}</span>: no model had a hand in it.
        </p>
      </Section>
    );
  }
  const known = Object.entries(rest).map(([key, value]) => [NAMES[key] ?? key, value]);
  return (
    <Section title="Where it came from">
      <Pairs of={Object.fromEntries(known)} />
      {isMade && sources.isPending && <Skeleton className="mt-3 h-16 w-full" />}
      {sources.isError && <Failure error={sources.error} retry={() => void sources.refetch()} />}
      {isMade && sources.data?.items.length === 0 && (
        <p className="mt-3 text-muted-foreground">
          Made of {messages.length === 1 ? "a message that is" : `${messages.length} messages that are`} not kept any
          more.
        </p>
      )}
      {sources.data && sources.data.items.length > 0 && (
        <ol className="mt-3 grid gap-3 border-l pl-4" aria-label="Messages that it was made of">
          {sources.data.items.map((turn) => (
            <li key={turn.id}>
              <p className="text-xs text-muted-foreground">
                <span className="font-medium">{turn.author ?? turn.role}</span> · <Time at={turn.created_at} />
              </p>
              <Expandable text={turn.content} lines={3} />
            </li>
          ))}
        </ol>
      )}
    </Section>
  );
}
