/** When a key is to end: never, after some days, or with the end of a day. */

export const LIVES = {
  never: "Never",
  30: "In 30 days",
  90: "In 90 days",
  365: "In a year",
  date: "On a date",
} as const;
export type Life = keyof typeof LIVES;

/** The end of a life that begins at `from`; undefined: never. `date` is a calendar day of the reader's own zone. */
export function endOf(life: Life | string, date: string, from: Date = new Date()): string | undefined {
  if (life === "never") return undefined;
  if (life === "date") return new Date(`${date}T23:59:59`).toISOString();
  const end = new Date(from);
  end.setDate(end.getDate() + Number(life));
  return end.toISOString();
}

/** A day as the browser's date field has it, in the reader's own zone. */
export function dayOf(when: Date): string {
  const two = (part: number) => String(part).padStart(2, "0");
  return `${when.getFullYear()}-${two(when.getMonth() + 1)}-${two(when.getDate())}`;
}

/** Where a key stands. */
export function standing(
  key: { revoked_at: string | null; expires_at: string | null },
  from: Date = new Date(),
): "good" | "revoked" | "expired" {
  if (key.revoked_at) return "revoked";
  return key.expires_at && new Date(key.expires_at) <= from ? "expired" : "good";
}
