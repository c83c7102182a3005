"use client";

import dynamic from "next/dynamic";
import { day, exactDay, grouped } from "@/format";
import { Section } from "../page-header";
import { Failure } from "../states";
import { NativeSelect } from "../ui/field";
import { Skeleton } from "../ui/skeleton";
import type { Day, Series } from "./series";

// The charts are larger than the page: they come after it.
const DaysChart = dynamic(() => import("./days-charts"), {
  ssr: false,
  loading: () => <Skeleton className="h-full w-full" />,
});

const SPANS = { 7: "7 days", 30: "30 days", 90: "90 days", 365: "A year" };

type DaysProps = {
  span: number;
  setSpan: (span: number) => void;
  /** undefined while they are loaded. */
  days: Day[] | undefined;
  error: Error | null;
  retry: () => void;
  /** As many as will be drawn, also while there are no days yet. */
  series: ((days: Day[]) => Series)[];
};

/** Days as small charts one beneath another, and as a table for whoever reads rather than looks. */
export function Days({ span, setSpan, days, error, retry, series }: DaysProps) {
  return (
    <Section
      title="Over time"
      aside={
        <NativeSelect
          aria-label="Time span"
          className="h-8 text-[0.8125rem]"
          value={span}
          onChange={(event) => setSpan(Number(event.target.value))}
        >
          {Object.entries(SPANS).map(([count, name]) => (
            <option key={count} value={count}>
              {name}
            </option>
          ))}
        </NativeSelect>
      }
    >
      {error ? (
        <Failure error={error} retry={retry} />
      ) : (
        <>
          <div className="grid gap-4">
            {series.map((make, place) => (
              // biome-ignore lint/suspicious/noArrayIndexKey: their order is fixed
              <Chart key={place} series={days && make(days)} />
            ))}
          </div>
          <Table days={days} />
        </>
      )}
    </Section>
  );
}

function Chart({ series }: { series: Series | undefined }) {
  return (
    <figure>
      <figcaption className="mb-1 flex min-h-5 items-baseline justify-between gap-2 text-[0.8125rem]">
        <span className="font-medium">{series?.name}</span>
        <span className="tabular text-muted-foreground">{series?.total}</span>
      </figcaption>
      <div className="h-32" aria-hidden>
        {series ? <DaysChart series={series} /> : <Skeleton className="h-full w-full" />}
      </div>
    </figure>
  );
}

/** Every day on which something happened, newest first. */
function Table({ days }: { days: Day[] | undefined }) {
  const eventful = (days ?? []).filter(({ created, written, reads }) => created + written + reads > 0).reverse();
  return (
    <details className="mt-3">
      <summary className="w-fit rounded-sm text-[0.8125rem] text-accent">As a table</summary>
      {eventful.length === 0 ? (
        <p className="mt-2 text-muted-foreground">Nothing happened in this time.</p>
      ) : (
        <div
          className="mt-2 max-h-80 overflow-auto"
          // biome-ignore lint/a11y/noNoninteractiveTabindex: what scrolls must be reachable by keys
          tabIndex={0}
        >
          <table className="w-full border-collapse text-[0.8125rem]">
            <caption className="sr-only">What each day brought, UTC</caption>
            <thead>
              <tr className="border-b text-left text-xs text-muted-foreground">
                {["Day", "Made", "Writes", "Reads", "Shown"].map((name, place) => (
                  <th key={name} scope="col" className={`py-1.5 pr-3 font-medium ${place > 0 ? "text-right" : ""}`}>
                    {name}
                  </th>
                ))}
              </tr>
            </thead>
            <tbody>
              {eventful.map(({ date, created, written, reads, shown }) => (
                <tr key={date} className="border-b last:border-0">
                  <th scope="row" className="py-1.5 pr-3 text-left font-normal" title={exactDay(date)}>
                    {day(date)}
                  </th>
                  <td className="tabular pr-3 text-right">{grouped(created)}</td>
                  <td className="tabular pr-3 text-right">{grouped(written)}</td>
                  <td className="tabular pr-3 text-right">{grouped(reads)}</td>
                  <td className="tabular pr-3 text-right">{grouped(shown)}</td>
                </tr>
              ))}
            </tbody>
          </table>
        </div>
      )}
    </details>
  );
}
