/** How dates, numbers and texts are shown: in the reader's own zone and language. */

const UNITS: [Intl.RelativeTimeFormatUnit, number][] = [
  ["year", 365 * 86_400],
  ["month", 30 * 86_400],
  ["week", 7 * 86_400],
  ["day", 86_400],
  ["hour", 3_600],
  ["minute", 60],
];

const RELATIVE = new Intl.RelativeTimeFormat(undefined, { numeric: "auto", style: "long" });
const EXACT = new Intl.DateTimeFormat(undefined, { dateStyle: "full", timeStyle: "medium" });
const DAY = new Intl.DateTimeFormat(undefined, { day: "numeric", month: "short" });
const WHOLE_DAY = new Intl.DateTimeFormat(undefined, { dateStyle: "full" });
const GROUPED = new Intl.NumberFormat();

/** The moment that the API means: epoch seconds, ISO 8601 with a zone, or without one, which is UTC. */
export function moment(value: number | string): Date {
  if (typeof value === "number") return new Date(value * 1000);
  return new Date(/(Z|[+-]\d\d:?\d\d)$/.test(value) ? value : `${value}Z`);
}

/** "3 minutes ago", "in 2 weeks", "just now". */
export function relative(when: Date, from: Date = new Date()): string {
  const seconds = (when.getTime() - from.getTime()) / 1000;
  const found = UNITS.find(([, size]) => Math.abs(seconds) >= size);
  if (!found) return "just now";
  const [unit, size] = found;
  return RELATIVE.format(Math.trunc(seconds / size), unit);
}

/** The date and the time to the second. */
export function exact(when: Date): string {
  return EXACT.format(when);
}

/** "8 May", of a calendar day that has no zone (`2026-05-08`). */
export function day(date: string): string {
  return DAY.format(new Date(`${date}T12:00:00`));
}

/** "Friday, 8 May 2026", of such a day. */
export function exactDay(date: string): string {
  return WHOLE_DAY.format(new Date(`${date}T12:00:00`));
}

/** "1,204". */
export function grouped(count: number): string {
  return GROUPED.format(count);
}

/** "1 memory", "1,204 memories". */
export function counted(count: number, one: string, many = `${one}s`): string {
  return `${grouped(count)} ${count === 1 ? one : many}`;
}

/** The text on one line, cut at `most` characters: for titles and messages, never where the whole cannot be seen. */
export function brief(text: string, most = 60): string {
  const line = text.replace(/\s+/g, " ").trim();
  return line.length <= most ? line : `${line.slice(0, most - 1).trimEnd()}…`;
}
