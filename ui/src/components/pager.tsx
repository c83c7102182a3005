"use client";

import { ChevronLeft, ChevronRight } from "lucide-react";
import { grouped } from "@/format";
import { Button } from "./ui/button";
import { NativeSelect } from "./ui/field";

type PagerProps = {
  page: number;
  size: number;
  total: number;
  onPage: (page: number) => void;
  sizes?: number[];
  onSize?: (size: number) => void;
};

/** Which part of a list is shown, and the way to the others. */
export function Pager({ page, size, total, onPage, sizes, onSize }: PagerProps) {
  const pages = Math.max(1, Math.ceil(total / size));
  const first = total === 0 ? 0 : (page - 1) * size + 1;
  return (
    <nav aria-label="Pages" className="flex flex-wrap items-center justify-between gap-3 py-3 text-muted-foreground">
      <p className="tabular" role="status">
        {first > total ? "Beyond the end" : `${grouped(first)} to ${grouped(Math.min(page * size, total))}`} of{" "}
        {grouped(total)}
      </p>
      <div className="flex items-center gap-2">
        {sizes && onSize && (
          // biome-ignore lint/a11y/noLabelWithoutControl: the select is inside
          <label className="mr-2 flex items-center gap-2">
            <span className="max-sm:sr-only">Per page</span>
            <NativeSelect className="h-8" value={size} onChange={(event) => onSize(Number(event.target.value))}>
              {sizes.map((choice) => (
                <option key={choice}>{choice}</option>
              ))}
            </NativeSelect>
          </label>
        )}
        <Button size="icon-small" aria-label="Previous page" disabled={page <= 1} onClick={() => onPage(page - 1)}>
          <ChevronLeft />
        </Button>
        <span className="tabular min-w-20 text-center">
          {grouped(page)} / {grouped(pages)}
        </span>
        <Button size="icon-small" aria-label="Next page" disabled={page >= pages} onClick={() => onPage(page + 1)}>
          <ChevronRight />
        </Button>
      </div>
    </nav>
  );
}
