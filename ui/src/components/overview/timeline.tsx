"use client";

import { useState } from "react";
import { living, useFigures } from "@/api/overview";
import { Days } from "../days/days";
import { growth, reads, writes } from "../days/series";

/** How the memories grew, and what was written and read, by day. */
export function Timeline() {
  const [span, setSpan] = useState(30);
  const figures = useFigures(span);
  const present = living(figures.data?.states ?? {});
  return (
    <Days
      span={span}
      setSpan={setSpan}
      days={figures.data?.days}
      error={figures.error}
      retry={() => void figures.refetch()}
      series={[(days) => growth(days, present), writes, reads]}
    />
  );
}
