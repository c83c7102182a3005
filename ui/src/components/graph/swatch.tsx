import type { Kind } from "./model";

const SHAPES: Record<Kind, string> = {
  memory: "M2.500 6a3.500 3.500 0 1 0 7 0a3.500 3.500 0 1 0 -7 0",
  entity: "M6 .5 11.500 6 6 11.500 .5 6Z",
  category: "M2 2h8v8H2Z",
  app: "M11.500 6 8.750 10.800H3.250L.5 6 3.250 1.200h5.500Z",
};

/** A kind's shape and colour, as the picture has them. */
export function Swatch({ kind }: { kind: Kind }) {
  return (
    <svg viewBox="0 0 12 12" className="!size-3" aria-hidden="true">
      <path d={SHAPES[kind]} fill={`var(--node-${kind})`} />
    </svg>
  );
}
