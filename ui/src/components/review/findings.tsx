"use client";

import { CheckCheck } from "lucide-react";
import dynamic from "next/dynamic";
import { useState } from "react";
import { A_PAGE, type Decision, type Finding, type Kind, useDecisions, useFindings } from "@/api/review";
import { useSession } from "@/api/session";
import { Pager } from "../pager";
import { useShortcuts } from "../shell/shortcuts";
import { Failure } from "../states";
import { Button } from "../ui/button";
import { FindingCard } from "./finding-card";
import { Nothing } from "./nothing";
import { CardsSkeleton } from "./skeleton";

// Nobody opens it with the page: its code comes after.
const ForgetDialog = dynamic(() => import("./forget-dialog").then((it) => it.ForgetDialog), { ssr: false });

type FindingsProps = {
  kind: Kind;
  isResolved: boolean;
  isExamining: boolean;
  page: number;
  onPage: (page: number) => void;
  mayWrite: boolean;
};

const NONE: Finding[] = [];

/** The findings of one kind as an inbox: a card each, moved through by j and k. */
export function Findings({ kind, isResolved, isExamining, page, onPage, mayWrite }: FindingsProps) {
  const findings = useFindings(kind, isResolved, page, isExamining);
  const { resolve, forget, undo, keepAll } = useDecisions();
  const mayPurge = useMayPurge();
  const [forgetting, setForgetting] = useState<Finding | null>(null);
  const [merging, setMerging] = useState<string | null>(null);
  const items = findings.data?.items ?? NONE;
  function decide({ id }: Finding, decision: Decision) {
    setMerging(null);
    resolve.mutate({ id, decision });
  }
  const at = useCursor(items, mayWrite && !isResolved, decide, setMerging);
  if (findings.isError) return <Failure error={findings.error} retry={() => void findings.refetch()} />;
  if (findings.isPending) return <CardsSkeleton />;
  const total = findings.data.total;
  return (
    <div aria-busy={findings.isPlaceholderData} className={findings.isPlaceholderData ? "opacity-60" : ""}>
      {mayWrite && !isResolved && items.length > 1 && (
        <Button size="small" className="mb-3" onClick={() => keepAll.mutate(items.map(({ id }) => id))}>
          <CheckCheck /> Keep all {items.length < total ? "on this page" : ""}
        </Button>
      )}
      {items.length === 0 && <Nothing isResolved={isResolved} isExamining={isExamining} />}
      <ul className="grid gap-3" aria-label={isResolved ? "Decided" : "To be decided"}>
        {items.map((finding, index) => (
          <FindingCard
            key={finding.id}
            finding={finding}
            isAt={index === at}
            isMerging={merging === finding.id}
            mayWrite={mayWrite}
            onDecide={(decision) => decide(finding, decision)}
            onMerge={(isOpen) => setMerging(isOpen ? finding.id : null)}
            onUndo={() => undo.mutate(finding.id)}
            onForget={mayPurge ? () => setForgetting(finding) : undefined}
          />
        ))}
      </ul>
      {forgetting && (
        <ForgetDialog
          onClose={() => setForgetting(null)}
          onForget={() => {
            forget.mutate({ id: forgetting.id, memoryId: forgetting.memory_id });
            setForgetting(null);
          }}
        />
      )}
      {(total > A_PAGE || page > 1) && <Pager page={page} size={A_PAGE} total={total} onPage={onPage} />}
    </div>
  );
}

/** Persons who signed in may purge, and admins. */
function useMayPurge(): boolean {
  const { session } = useSession();
  return session.state === "in" && (session.how === "login" || session.me.scopes.includes("admin"));
}

/** The finding that the keys mean; -1 before the first of them. */
function useCursor(
  items: Finding[],
  mayDecide: boolean,
  decide: (finding: Finding, decision: Decision) => void,
  merge: (id: string) => void,
): number {
  const [at, setAt] = useState(-1);
  const shown = Math.min(at, items.length - 1);
  const finding = items[shown];
  function decided(is: (finding: Finding) => boolean, decision: (finding: Finding) => Decision) {
    return () => finding && mayDecide && is(finding) && decide(finding, decision(finding));
  }
  const isPair = ({ kind }: Finding) => kind !== "secret";
  const removed = (id: string | null): Decision => ({ action: "delete", memory_ids: id ? [id] : [] });
  useShortcuts({
    j: () => setAt(Math.min(shown + 1, items.length - 1)),
    k: () => setAt(Math.max(shown - 1, 0)),
    m: (event) => {
      event.preventDefault(); // or the letter lands in the field that opens
      if (finding && mayDecide && isPair(finding)) merge(finding.id);
    },
    b: decided(
      () => true,
      () => ({ action: "keep" }),
    ),
    "1": decided(
      () => true,
      ({ memory_id }) => removed(memory_id),
    ),
    "2": decided(isPair, ({ other_id }) => removed(other_id)),
    r: decided(
      ({ kind }) => kind === "secret",
      () => ({ action: "redact" }),
    ),
  });
  return shown;
}
