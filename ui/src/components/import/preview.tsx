import { TriangleAlert } from "lucide-react";
import type { Preview } from "@/api/imports";
import { counted, grouped } from "@/format";
import { Section } from "../page-header";
import { Time } from "../time";
import { Badge } from "../ui/badge";

/** What a file holds, in numbers. */
export function Figures({ found }: { found: Preview }) {
  const figures: [string, number][] = [
    ["Memories", found.memories],
    ["Already here", found.duplicates],
    ["Conversations", found.conversations],
    ["Messages", found.messages],
    ["Apps", found.apps],
    ["Categories", found.categories],
    ["Unreadable", found.unreadable],
  ];
  return (
    <dl className="flex flex-wrap gap-px overflow-hidden rounded-lg border bg-border">
      {figures
        .filter(([name, count]) => count > 0 || (name === "Memories" && found.conversations === 0))
        .map(([name, count]) => (
          <div key={name} className="flex-1 basis-30 bg-raised px-3 py-2.5">
            <dt className="text-[0.8125rem] text-muted-foreground">{name}</dt>
            <dd className="tabular text-lg font-semibold">{grouped(count)}</dd>
          </div>
        ))}
    </dl>
  );
}

/** What the server warns of. */
export function Warnings({ found }: { found: Preview }) {
  return found.warnings.map((warning) => (
    <p key={warning} className="flex gap-2 rounded-md bg-warning-soft px-3 py-2 text-warning">
      <TriangleAlert className="mt-0.5 size-4 shrink-0" />
      {warning}
    </p>
  ));
}

/** The first memories as they would be stored. */
export function Items({ found }: { found: Preview }) {
  if (found.items.length === 0) return null;
  const rest = found.memories - found.items.length;
  return (
    <Section title="As they would be stored">
      <ul className="rounded-lg border bg-raised">
        {found.items.map((item, place) => (
          // biome-ignore lint/suspicious/noArrayIndexKey: they have no id yet, and do not move
          <li key={place} className="border-b px-3 py-2.5 last:border-0">
            <p className="line-clamp-4 break-words whitespace-pre-line">{item.content}</p>
            <p className="mt-1 flex flex-wrap items-center gap-1.5 text-[0.8125rem] text-muted-foreground empty:hidden">
              {item.is_known && <Badge tone="warning">already here</Badge>}
              {item.categories.map((name) => (
                <Badge key={`c-${name}`} tone="accent">
                  {name}
                </Badge>
              ))}
              {item.tags.map((name) => (
                <Badge key={`t-${name}`}>#{name}</Badge>
              ))}
              {item.created_at && <Time at={item.created_at} />}
            </p>
          </li>
        ))}
      </ul>
      {rest > 0 && <p className="mt-2 text-muted-foreground">and {counted(rest, "more memory", "more memories")}</p>}
    </Section>
  );
}

/** What could not be read, where, and why. */
export function Problems({ found }: { found: Preview }) {
  if (found.unreadable === 0) return null;
  return (
    <details className="rounded-lg border bg-raised px-3 py-2.5">
      <summary className="cursor-pointer font-medium">
        {counted(found.unreadable, "record")} that cannot be read and will be left out
      </summary>
      <ul className="mt-2 max-h-72 overflow-y-auto">
        {found.problems.map(({ where, why }) => (
          <li key={`${where} ${why}`} className="flex flex-wrap gap-x-3 border-t py-1.5">
            <code className="font-mono text-[0.8125rem] break-all">{where}</code>
            <span className="text-muted-foreground">{why}</span>
          </li>
        ))}
      </ul>
      {found.unreadable > found.problems.length && (
        <p className="border-t pt-1.5 text-muted-foreground">
          and {grouped(found.unreadable - found.problems.length)} more
        </p>
      )}
    </details>
  );
}
