"use client";

import { Area, AreaChart, Bar, BarChart, CartesianGrid, ResponsiveContainer, Tooltip, XAxis, YAxis } from "recharts";
import { day, grouped } from "@/format";
import type { Series } from "./series";

type Point = { date: string; value: number };
type TipProps = { active?: boolean; payload?: readonly { payload?: Point }[]; said: Series["said"] };

function Tip({ active, payload, said }: TipProps) {
  const at = payload?.[0]?.payload;
  if (!active || !at) return null;
  return (
    <div className="rounded-md border bg-raised px-2.5 py-1.5 text-[0.8125rem] shadow-md">
      <span className="text-muted-foreground">{day(at.date)}</span> {said(at.value)}
    </div>
  );
}

const TICK = { fill: "var(--muted-foreground)", fontSize: 12 };
const MARGIN = { top: 6, right: 8, bottom: 0, left: 0 };

/** One series by day: bars for what happened on each, an area for what there was. Those of one page move together. */
export default function DaysChart({ series }: { series: Series }) {
  const { points, isLevel, said } = series;
  const Chart = isLevel ? AreaChart : BarChart;
  return (
    <ResponsiveContainer width="100%" height="100%">
      <Chart data={points} margin={MARGIN} accessibilityLayer={false} syncId="days">
        <CartesianGrid vertical={false} stroke="var(--border)" />
        <XAxis dataKey="date" tickFormatter={day} tick={TICK} tickLine={false} axisLine={false} minTickGap={48} />
        <YAxis
          allowDecimals={false}
          width={44}
          tickCount={4}
          tickFormatter={grouped}
          tick={TICK}
          tickLine={false}
          axisLine={false}
        />
        <Tooltip content={<Tip said={said} />} cursor={{ fill: "var(--muted)" }} isAnimationActive={false} />
        {isLevel ? (
          <Area
            dataKey="value"
            type="linear"
            stroke="var(--accent)"
            fill="var(--accent-soft)"
            strokeWidth={2}
            isAnimationActive={false}
          />
        ) : (
          <Bar dataKey="value" fill="var(--accent)" radius={[2, 2, 0, 0]} maxBarSize={18} isAnimationActive={false} />
        )}
      </Chart>
    </ResponsiveContainer>
  );
}
