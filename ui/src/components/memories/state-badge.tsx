import { Badge } from "../ui/badge";

const TONES = { active: "good", paused: "warning", archived: "neutral", deleted: "danger" } as const;

/** The state of a memory, by its name and its colour. */
export function StateBadge({ state }: { state: string }) {
  return <Badge tone={TONES[state as keyof typeof TONES] ?? "neutral"}>{state}</Badge>;
}
