import type { ReactNode } from "react";
import { cn } from "@/cn";
import { Skeleton } from "../ui/skeleton";

/** A column: its heading, and from which width of the screen it is there; on smaller ones a row says it otherwise. */
export type Column = { id: string; label: ReactNode; from?: "md" | "lg"; className?: string };

const FROM = { md: "max-md:hidden", lg: "max-lg:hidden" };

type TableProps<Item> = {
  label: string;
  columns: Column[];
  items: Item[];
  idOf: (item: Item) => string;
  isDimmed?: (item: Item) => boolean;
  cell: (item: Item, column: string) => ReactNode;
};

/** A plain table of what a section of the settings lists. */
export function Table<Item>({ label, columns, items, idOf, isDimmed, cell }: TableProps<Item>) {
  return (
    <table aria-label={label} className="w-full text-left">
      <thead className="border-b text-muted-foreground">
        <tr>
          {columns.map(({ id, label: heading, from, className }) => (
            <th key={id} scope="col" className={cn("h-9 px-2 font-medium first:pl-0", from && FROM[from], className)}>
              {heading}
            </th>
          ))}
        </tr>
      </thead>
      <tbody>
        {items.map((item) => (
          <tr key={idOf(item)} className={cn("border-b align-top", isDimmed?.(item) && "text-muted-foreground")}>
            {columns.map(({ id, from, className }) => (
              <td key={id} className={cn("px-2 py-2.5 first:pl-0", from && FROM[from], className)}>
                {cell(item, id)}
              </td>
            ))}
          </tr>
        ))}
      </tbody>
    </table>
  );
}

/** As large as the table that is coming. */
export function TableLoading({ rows = 5 }: { rows?: number }) {
  return (
    <div aria-busy="true">
      <div className="h-9 border-b" />
      {Array.from({ length: rows }, (_, index) => (
        // biome-ignore lint/suspicious/noArrayIndexKey: they are all alike
        <div key={index} className="flex h-16 items-center gap-4 border-b">
          <Skeleton className="h-5 flex-1" />
          <Skeleton className="h-5 w-24 max-md:hidden" />
          <Skeleton className="h-5 w-20 max-md:hidden" />
        </div>
      ))}
    </div>
  );
}
