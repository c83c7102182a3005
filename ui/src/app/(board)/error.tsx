"use client";

import { Failure } from "@/components/states";

/** What is left of a page that failed while it was drawn: the rest of the dashboard stays. */
export default function PageError({ error, reset }: { error: Error; reset: () => void }) {
  return <Failure error={error} retry={reset} />;
}
