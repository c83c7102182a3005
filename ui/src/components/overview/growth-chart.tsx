"use client";

import { Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { counted, day, grouped } from "@/format";

type Day = { date: string; created: number };
type TipProps = { active?: boolean; payload?: readonly { payload?: Day }[] };

function Tip({ active, payload }: TipProps) {
  const at = payload?.[0]?.payload;
  if (!active || !at) return null;
  return (
    <div className="rounded-md border bg-raised px-2.5 py-1.5 text-[0.8125rem] shadow-md">
      <span className="text-muted-foreground">{day(at.date)}</span> {counted(at.created, "memory", "memories")}
    </div>
  );
}

/** How many memories each day brought. */
export default function GrowthChart({ days }: { days: Day[] }) {
  return (
    <ResponsiveContainer width="100%" height="100%">
      <BarChart data={days} margin={{ top: 6, right: 8, bottom: 0, left: 0 }} accessibilityLayer={false}>
        <CartesianGrid vertical={false} stroke="var(--border)" />
        <XAxis
          dataKey="date"
          tickFormatter={day}
          tick={{ fill: "var(--muted-foreground)", fontSize: 12 }}
          tickLine={false}
          axisLine={false}
          minTickGap={48}
        />
        <YAxis
          allowDecimals={false}
          width={44}
          tickFormatter={grouped}
          tick={{ fill: "var(--muted-foreground)", fontSize: 12 }}
          tickLine={false}
          axisLine={false}
        />
        <Tooltip content={<Tip />} cursor={{ fill: "var(--muted)" }} isAnimationActive={false} />
        <Bar dataKey="created" fill="var(--accent)" radius={[2, 2, 0, 0]} maxBarSize={18} isAnimationActive={false} />
      </BarChart>
    </ResponsiveContainer>
  );
}
