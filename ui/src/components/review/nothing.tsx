import { Inbox } from "lucide-react";
import { Notice } from "../states";

/** What is shown where nothing waits. */
export function Nothing({ isResolved, isExamining }: { isResolved: boolean; isExamining: boolean }) {
  if (isResolved) return <Notice icon={<Inbox />} title="Nothing was decided yet" />;
  return (
    <Notice icon={<Inbox />} title={isExamining ? "Nothing so far" : "Nothing to review"}>
      {isExamining
        ? "Your memories are still being examined. What is found appears here."
        : "New and changed memories are examined in the background; what is found waits here."}
    </Notice>
  );
}
