/** What a score is made of, the largest parts first, each as long as its share. */
export function Parts({ parts }: { parts: Record<string, number> }) {
  const listed = Object.entries(parts).sort(([, a], [, b]) => Math.abs(b) - Math.abs(a));
  const most = Math.max(0.0001, ...listed.map(([, value]) => Math.abs(value)));
  return (
    <dl className="grid grid-cols-[minmax(6rem,auto)_minmax(4rem,1fr)_auto] items-center gap-x-3 gap-y-0.5 text-[0.8125rem]">
      {listed.map(([name, value]) => (
        <div key={name} className="contents">
          <dt className="text-muted-foreground">{name.replaceAll("_", " ")}</dt>
          <dd aria-hidden className="h-1.5 overflow-hidden rounded-full bg-muted">
            <span
              className="block h-full rounded-full bg-accent"
              style={{ width: `${(100 * Math.abs(value)) / most}%` }}
            />
          </dd>
          <dd className="tabular text-right">{value.toFixed(3)}</dd>
        </div>
      ))}
    </dl>
  );
}
