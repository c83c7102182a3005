"use client";

import { Plug } from "lucide-react";
import { useState } from "react";
import { type Grant, LOGINS_A_PAGE, useEndGrant, useGrants } from "@/api/logins";
import { useMayWrite } from "@/api/session";
import { ConfirmDialog } from "../confirm-dialog";
import { Section } from "../page-header";
import { Pager } from "../pager";
import { Failure } from "../states";
import { Time } from "../time";
import { Badge } from "../ui/badge";
import { Button } from "../ui/button";
import { Skeleton } from "../ui/skeleton";

const isOver = (grant: Grant) => Boolean(grant.revoked_at) || new Date(grant.expires_at) <= new Date();

/** What clients were allowed by OAuth, each to be taken back. */
export function GrantList() {
  const [page, setPage] = useState(1);
  const grants = useGrants(page);
  const end = useEndGrant();
  const mayWrite = useMayWrite();
  const [asked, setAsked] = useState<Grant | null>(null);
  return (
    <Section title="Clients that you allowed">
      {grants.isError && <Failure error={grants.error} retry={() => void grants.refetch()} />}
      {grants.isPending && <Skeleton className="h-16 w-full" />}
      {grants.data?.total === 0 && (
        <p className="text-muted-foreground">
          None. An MCP client that signs in by OAuth, as Claude's connectors do, is listed here.
        </p>
      )}
      <ul>
        {grants.data?.items.map((grant) => (
          <li key={grant.id} className="flex items-start gap-3 border-b py-3">
            <Plug className="mt-0.5 size-4 shrink-0 text-muted-foreground" />
            <div className="min-w-0 flex-1">
              <p className="flex flex-wrap items-center gap-2">
                <span className="font-medium break-words">{grant.client_name}</span>
                {isOver(grant) && <Badge tone="warning">{grant.revoked_at ? "ended" : "expired"}</Badge>}
              </p>
              <p className="text-xs break-words text-muted-foreground">
                As {grant.app_name}, may {grant.scopes.join(" and ")} at {grant.resource}
              </p>
              <p className="text-xs text-muted-foreground">
                Allowed <Time at={grant.created_at} />
                {grant.last_used_at && (
                  <>
                    {" "}
                    · renewed <Time at={grant.last_used_at} />
                  </>
                )}
                {!isOver(grant) && (
                  <>
                    {" "}
                    · ends <Time at={grant.expires_at} />
                  </>
                )}
              </p>
            </div>
            {mayWrite && !isOver(grant) && (
              <Button
                size="small"
                aria-label={`Take back what ${grant.client_name} was allowed`}
                onClick={() => setAsked(grant)}
              >
                Take back
              </Button>
            )}
          </li>
        ))}
      </ul>
      {grants.data && grants.data.total > LOGINS_A_PAGE && (
        <Pager page={page} size={LOGINS_A_PAGE} total={grants.data.total} onPage={setPage} />
      )}
      {asked && (
        <ConfirmDialog
          title={`Take back what ${asked.client_name} was allowed?`}
          action="Take it back"
          onConfirm={() => {
            end.mutate(asked.id);
            setAsked(null);
          }}
          onClose={() => setAsked(null)}
        >
          <p>Its tokens are refused from the next request on. It can ask you again.</p>
        </ConfirmDialog>
      )}
    </Section>
  );
}
