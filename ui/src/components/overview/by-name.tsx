import Link from "next/link";
import { grouped } from "@/format";

export type Counted = { key: string; name: string; count: number; href: string };

/** Names with most memories, each by its share of the largest. */
export function ByName({ counts, empty }: { counts: Counted[]; empty: string }) {
  const most = Math.max(1, ...counts.map(({ count }) => count));
  if (counts.length === 0) return <p className="text-muted-foreground">{empty}</p>;
  return (
    <ol className="grid gap-1">
      {counts.map(({ key, name, count, href }) => (
        <li key={key}>
          <Link
            href={href}
            prefetch={false}
            className="relative flex justify-between gap-3 rounded-sm px-2 py-1 hover:text-accent"
          >
            <span
              aria-hidden
              className="absolute inset-y-0 left-0 rounded-sm bg-muted"
              style={{ width: `${(100 * count) / most}%` }}
            />
            <span className="relative min-w-0 break-words">{name}</span>
            <span className="tabular relative">{grouped(count)}</span>
          </Link>
        </li>
      ))}
    </ol>
  );
}
