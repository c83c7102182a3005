/** What days say, as series to be drawn. */

import type { Schemas } from "@/api/client";
import { counted } from "@/format";

export type Day = Schemas["DayCount"];

export type Series = {
  name: string;
  /** What it comes to in this time, in words. */
  total: string;
  /** What there was at the end of each day, rather than what happened on it. */
  isLevel: boolean;
  points: { date: string; value: number }[];
  said: (value: number) => string;
};

const memories = (count: number) => counted(count, "memory", "memories");

/** How many of today's memories there were at the end of each day: today's count, less those made after it. */
export function growth(days: Day[], present: number): Series {
  let left = present;
  const points = [...days].reverse().map(({ date, created }) => {
    const value = left;
    left -= created;
    return { date, value };
  });
  return { name: "Memories", total: memories(present), isLevel: true, points: points.reverse(), said: memories };
}

function sums(days: Day[], name: string, key: "written" | "reads" | "shown", said: Series["said"]): Series {
  const points = days.map((day) => ({ date: day.date, value: day[key] }));
  return { name, total: said(points.reduce((sum, { value }) => sum + value, 0)), isLevel: false, points, said };
}

export const writes = (days: Day[]) => sums(days, "Writes", "written", (count) => counted(count, "write"));
export const reads = (days: Day[]) => sums(days, "Reads", "reads", (count) => counted(count, "read"));
