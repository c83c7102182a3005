"use client";

import { useQueryClient } from "@tanstack/react-query";
import { useEffect, useState } from "react";
import { living, useFigures } from "@/api/overview";
import { useOwner } from "@/api/owner";
import { Apps, Categories, Figures } from "@/components/overview/figures";
import { FirstRun } from "@/components/overview/first-run";
import { FailedReceipts, RecentReceipts } from "@/components/overview/receipts";
import { Timeline } from "@/components/overview/timeline";
import { PageHeader, Section } from "@/components/page-header";
import { Failure } from "@/components/states";

export default function OverviewPage() {
  const { owner } = useOwner();
  const figures = useFigures(30);
  const count = figures.data ? living(figures.data.states) : undefined;
  const hasBeen = (figures.data?.states.deleted ?? 0) > 0;
  // Once it was shown, the first run stays until it is left: it has to turn green.
  const [isFirstRun, setFirstRun] = useState(false);
  useEffect(() => {
    if (count === 0 && !hasBeen) setFirstRun(true);
  }, [count, hasBeen]);

  // What else is shown follows the figures: where they change, it does.
  const queries = useQueryClient();
  useEffect(() => {
    if (count === undefined) return;
    for (const queryKey of [["overview", "index"], ["events"], ["apps"]]) void queries.invalidateQueries({ queryKey });
  }, [count, queries]);

  if (figures.isError) {
    return (
      <>
        <PageHeader title="Overview" />
        <Failure error={figures.error} retry={() => void figures.refetch()} />
      </>
    );
  }
  if (isFirstRun) return <FirstRun hasArrived={(count ?? 0) > 0} onDone={() => setFirstRun(false)} />;
  return (
    <>
      <PageHeader title="Overview" note={owner === undefined ? "Everybody's memories" : `The memories of ${owner}`} />
      <div className="grid gap-8">
        <Figures states={figures.data?.states} />
        <FailedReceipts />
        <div className="grid gap-x-12 gap-y-8 lg:grid-cols-[minmax(0,1fr)_20rem]">
          <div className="grid content-start gap-8">
            <Timeline />
            <RecentReceipts />
          </div>
          <div className="grid content-start gap-8">
            <Section title="Apps">
              <Apps />
            </Section>
            <Section title="Categories">
              <Categories categories={figures.data?.categories} />
            </Section>
          </div>
        </div>
      </div>
    </>
  );
}
