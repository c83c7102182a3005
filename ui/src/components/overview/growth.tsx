"use client";

import dynamic from "next/dynamic";
import { useState } from "react";
import { useFigures } from "@/api/overview";
import { counted } from "@/format";
import { Section } from "../page-header";
import { Failure } from "../states";
import { NativeSelect } from "../ui/field";
import { Skeleton } from "../ui/skeleton";

// The charts are larger than the page: they come after it.
const GrowthChart = dynamic(() => import("./growth-chart"), {
  ssr: false,
  loading: () => <Skeleton className="h-full w-full" />,
});

const SPANS = { 30: "30 days", 90: "90 days", 365: "A year" };

/** Memories by the day on which they were made. */
export function Growth() {
  const [span, setSpan] = useState(30);
  const figures = useFigures(span);
  const total = figures.data?.days.reduce((sum, { created }) => sum + created, 0) ?? 0;
  return (
    <Section
      title="New memories by day"
      aside={
        <NativeSelect
          aria-label="Time span"
          className="h-8 text-[0.8125rem]"
          value={span}
          onChange={(event) => setSpan(Number(event.target.value))}
        >
          {Object.entries(SPANS).map(([days, name]) => (
            <option key={days} value={days}>
              {name}
            </option>
          ))}
        </NativeSelect>
      }
    >
      {figures.isError ? (
        <Failure error={figures.error} />
      ) : (
        <figure>
          <div className="h-52">
            {figures.data ? <GrowthChart days={figures.data.days} /> : <Skeleton className="h-full w-full" />}
          </div>
          <figcaption className="sr-only">{counted(total, "memory", "memories")} made in this time.</figcaption>
        </figure>
      )}
    </Section>
  );
}
