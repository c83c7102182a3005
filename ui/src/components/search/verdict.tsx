import type { Schemas } from "@/api/client";
import { counted, grouped } from "@/format";
import { Badge } from "../ui/badge";
import { Parts } from "./parts";

/** Whether a search finds a memory, and what decided that: the rule, the place, and what the score is made of. */
export function Verdict({ verdict }: { verdict: Schemas["WhyNot"] }) {
  return (
    <div role="status" className="mt-4 grid gap-2 border-t pt-4">
      <p>
        <Badge tone={verdict.rule === "found" ? "good" : "warning"}>{verdict.rule.replaceAll("_", " ")}</Badge>
      </p>
      <p>{verdict.detail}</p>
      {verdict.rank !== null && (
        <p className="text-muted-foreground">
          Place {grouped(verdict.rank)}
          {verdict.of !== null && ` of ${counted(verdict.of, "that was ranked", "that were ranked")}`}
        </p>
      )}
      {verdict.warning && <p className="text-warning">{verdict.warning}</p>}
      {verdict.explanation && <Parts parts={verdict.explanation} />}
    </div>
  );
}
