import { cn } from "@/cn";

/** Where something is going to be, as large as that: nothing moves when it comes. */
export function Skeleton({ className }: { className?: string }) {
  return <div aria-hidden className={cn("animate-pulse rounded-sm bg-muted", className)} />;
}
