"use client";

import { Lock } from "lucide-react";
import { parseAsString, useQueryState } from "nuqs";
import { useMayWrite } from "@/api/session";
import { Importer } from "@/components/import/importer";
import { PastImports } from "@/components/import/past";
import { Sources } from "@/components/import/sources";
import { Task } from "@/components/import/task";
import { PageHeader } from "@/components/page-header";
import { Notice } from "@/components/states";

const ACCEPTED = ".zip,.json,.jsonl,.ndjson,.md,.markdown,.txt,.csv,.tsv,.gz";

export default function Import() {
  const [id, setId] = useQueryState("id", parseAsString.withDefault("").withOptions({ history: "push" }));
  const mayWrite = useMayWrite();
  const again = () => void setId(null);
  return (
    <>
      <PageHeader
        title="Import"
        note="Memories and conversations from elsewhere. You see what comes before anything is written."
      />
      <div className="grid max-w-4xl gap-8">
        {id ? (
          <Task id={id} onAnother={again} />
        ) : mayWrite ? (
          <Importer
            title="Drop a file here"
            note="An export of ChatGPT, Claude, mem0, mem9 or OpenMemory, or notes of your own"
            accept={ACCEPTED}
            onTaken={(made) => void setId(made)}
          >
            <Sources />
          </Importer>
        ) : (
          <Notice icon={<Lock />} title="You may not import">
            This key may read memories and not write any.
          </Notice>
        )}
        <PastImports shown={id} />
      </div>
    </>
  );
}
