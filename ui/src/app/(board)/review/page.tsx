"use client";

import { ScanSearch } from "lucide-react";
import Link from "next/link";
import { parseAsBoolean, parseAsInteger, parseAsStringLiteral, useQueryStates } from "nuqs";
import { useOwner } from "@/api/owner";
import { type Counts, isExamining, type Kind, useDecisions, useReviewCounts } from "@/api/review";
import { useMayWrite } from "@/api/session";
import { PageHeader } from "@/components/page-header";
import { Failed } from "@/components/review/failed";
import { Findings } from "@/components/review/findings";
import { Failure } from "@/components/states";
import { Button } from "@/components/ui/button";
import { Switch } from "@/components/ui/switch";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";
import { counted, grouped } from "@/format";

const KINDS = ["duplicate", "contradiction", "secret", "failed"] as const;
const NAMES = { duplicate: "Duplicates", contradiction: "Contradictions", secret: "Secrets", failed: "Failed" };
const ADDRESS = {
  kind: parseAsStringLiteral(KINDS).withDefault("duplicate"),
  decided: parseAsBoolean.withDefault(false),
  page: parseAsInteger.withDefault(1),
};

export default function Review() {
  const [{ kind, decided, page }, setAddress] = useQueryStates(ADDRESS, { clearOnDefault: true });
  const counts = useReviewCounts(true);
  const mayWrite = useMayWrite();
  const { writesFor } = useOwner();
  const { scan } = useDecisions();
  const at = Math.max(1, page);
  const onPage = (next: number) => void setAddress({ page: next });
  if (counts.isError && !counts.data) return <Failure error={counts.error} retry={() => void counts.refetch()} />;
  return (
    <>
      <PageHeader
        title="Review"
        note={<span role="status">{counts.data ? progress(counts.data) : "\u00a0"}</span>}
        actions={
          mayWrite && (
            <Button disabled={scan.isPending} onClick={() => scan.mutate(writesFor)}>
              <ScanSearch /> Examine again
            </Button>
          )
        }
      />
      <Tabs value={kind} onValueChange={(next) => void setAddress({ kind: next as typeof kind, page: 1 })}>
        <div className="mb-4 flex flex-wrap-reverse items-end justify-between gap-x-4 gap-y-1 border-b">
          <TabsList className="-mb-px max-w-full overflow-x-auto border-b-0 max-sm:gap-3">
            {KINDS.map((one) => (
              <TabsTrigger key={one} value={one} className="mb-0 whitespace-nowrap">
                {NAMES[one]}
                <span className="tabular ml-1.5 inline-block min-w-4 text-left text-xs text-muted-foreground">
                  {counts.data ? grouped(of(counts.data, one)) : ""}
                </span>
              </TabsTrigger>
            ))}
          </TabsList>
          {/* biome-ignore lint/a11y/noLabelWithoutControl: the switch is inside */}
          <label className="flex items-center gap-2 py-1.5 text-muted-foreground">
            <Switch checked={decided} onCheckedChange={(next) => void setAddress({ decided: next, page: 1 })} />
            {kind === "failed" ? "Dismissed ones" : "Decided ones"}
          </label>
        </div>
        <TabsContent value={kind} className="outline-none">
          {kind === "failed" ? (
            <Failed isDismissed={decided} page={at} onPage={onPage} mayWrite={mayWrite} />
          ) : (
            <>
              {kind === "contradiction" && counts.data && !counts.data.asks_llm && <NoLlm />}
              <Findings
                key={`${kind}-${decided}`}
                kind={kind}
                isResolved={decided}
                page={at}
                onPage={onPage}
                mayWrite={mayWrite}
                isExamining={isExamining(counts.data)}
              />
            </>
          )}
        </TabsContent>
      </Tabs>
    </>
  );
}

function of(counts: Counts, kind: Kind | "failed"): number {
  return kind === "failed" ? counts.failed : counts.open[kind];
}

function progress(counts: Counts): string {
  if (!isExamining(counts)) return `${counted(counts.memories, "memory", "memories")} examined`;
  return `${grouped(counts.examined)} of ${counted(counts.memories, "memory", "memories")} examined`;
}

function NoLlm() {
  return (
    <p className="mb-3 rounded-md bg-muted px-3 py-2 text-muted-foreground">
      Only plain contradictions are found: “lives in Paris” and “lives in Berlin”. A language model finds others, too,
      once{" "}
      <Link href="/settings/instructions/" prefetch={false} className="text-accent underline">
        the settings
      </Link>{" "}
      let it.
    </p>
  );
}
