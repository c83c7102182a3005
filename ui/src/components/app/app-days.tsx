"use client";

import { useState } from "react";
import { useAppDays } from "@/api/apps";
import { Days } from "../days/days";
import { reads, writes } from "../days/series";

/** What one app wrote and read, by day. */
export function AppDays({ id }: { id: string }) {
  const [span, setSpan] = useState(30);
  const days = useAppDays(id, span);
  return (
    <Days
      span={span}
      setSpan={setSpan}
      days={days.data?.days}
      error={days.error}
      retry={() => void days.refetch()}
      series={[writes, reads]}
    />
  );
}
