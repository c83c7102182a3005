/** How far something is, with what it is in words. `share` from 0 to 1; null where nobody knows. */
export function Meter({ label, share, note }: { label: string; share: number | null; note?: string }) {
  const percent = share === null ? undefined : Math.round(share * 100);
  return (
    <div className="grid gap-1.5">
      <div className="flex flex-wrap justify-between gap-x-4">
        <span className="font-medium">{label}</span>
        <span className="tabular text-muted-foreground">{note}</span>
      </div>
      <div
        role="progressbar"
        aria-label={label}
        aria-valuemin={0}
        aria-valuemax={100}
        aria-valuenow={percent}
        className="h-2 overflow-hidden rounded-full bg-muted"
      >
        <div
          className={
            share === null
              ? "h-full w-full animate-pulse bg-accent/60"
              : "h-full rounded-full bg-accent transition-[width] duration-300"
          }
          style={share === null ? undefined : { width: `${percent}%` }}
        />
      </div>
    </div>
  );
}
