import type { ImportItem } from "@/api/imports";
import { counted } from "@/format";
import { Badge } from "../ui/badge";

const TONES = {
  pending: "warning",
  processing: "accent",
  done: "good",
  partial: "warning",
  failed: "danger",
  cancelled: "neutral",
  undone: "neutral",
} as const;

const NAMES: Record<ImportItem["status"], string> = {
  pending: "waiting",
  processing: "under way",
  done: "done",
  partial: "done in part",
  failed: "failed",
  cancelled: "cancelled",
  undone: "taken back",
};

export function StatusBadge({ status }: { status: ImportItem["status"] }) {
  return <Badge tone={TONES[status]}>{NAMES[status]}</Badge>;
}

/** "3 memories imported, 2 already here, 1 record unreadable". */
export function outcome(task: ImportItem): string {
  const parts = [
    `${counted(task.imported, "memory", "memories")} imported`,
    task.updated > 0 && `${counted(task.updated, "memory", "memories")} brought up to date`,
    task.duplicates > 0 && `${counted(task.duplicates, "one was", "were")} already here`.replace(/^1 one was/, "1 was"),
    task.unreadable > 0 && `${counted(task.unreadable, "record")} unreadable`,
  ];
  return parts.filter((part) => part !== false).join(", ");
}
