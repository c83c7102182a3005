"use client";

import { ArrowLeft, Pencil, RotateCcw, SlidersHorizontal, Tags, Trash2 } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { parseAsString, useQueryState } from "nuqs";
import { useState } from "react";
import { ApiError, type Schemas } from "@/api/client";
import { useLabel } from "@/api/labels";
import { type State, useMemoryChanges } from "@/api/memories";
import { useHistory, useMemory, useRestore } from "@/api/memory";
import { useMayWrite, useMe } from "@/api/session";
import { Editor } from "@/components/memories/editor";
import { RowMenu } from "@/components/memories/row-menu";
import { StateBadge } from "@/components/memories/state-badge";
import { Accesses } from "@/components/memory/accesses";
import { Explain } from "@/components/memory/explain";
import { Facts, Pairs } from "@/components/memory/facts";
import { History } from "@/components/memory/history";
import { Provenance } from "@/components/memory/provenance";
import { Readers } from "@/components/memory/readers";
import { Related } from "@/components/memory/related";
import { Transitions } from "@/components/memory/transitions";
import { Section } from "@/components/page-header";
import { useShortcuts } from "@/components/shell/shortcuts";
import { Failure, Notice } from "@/components/states";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Skeleton } from "@/components/ui/skeleton";

// Nobody opens them with the page: their code comes after.
const LabelDialog = dynamic(() => import("@/components/labels/label-dialog").then((it) => it.LabelDialog), {
  ssr: false,
});
const DetailsDialog = dynamic(() => import("@/components/memory/details-dialog").then((it) => it.DetailsDialog), {
  ssr: false,
});

export default function MemoryPage() {
  const [id] = useQueryState("id", parseAsString.withDefault(""));
  const memory = useMemory(id);
  const isGone = memory.error instanceof ApiError && memory.error.status === 404;
  return (
    <>
      <Link
        href="/memories/"
        className="mb-3 inline-flex items-center gap-1.5 text-muted-foreground hover:text-foreground"
      >
        <ArrowLeft className="size-4" /> All memories
      </Link>
      <h1 className="sr-only">Memory</h1>
      {memory.isPending && <Loading />}
      {isGone ? (
        <Gone key={id} id={id} error={memory.error as ApiError} />
      ) : (
        memory.isError && <Failure error={memory.error} retry={() => void memory.refetch()} />
      )}
      {memory.data && !isGone && <Whole key={id} memory={memory.data} />}
    </>
  );
}

function Loading() {
  return (
    <div className="grid gap-8 lg:grid-cols-[minmax(0,1fr)_20rem]" aria-busy="true">
      <div className="grid content-start gap-3">
        <Skeleton className="h-7 w-full" />
        <Skeleton className="h-7 w-2/3" />
        <Skeleton className="mt-6 h-40 w-full" />
      </div>
      <Skeleton className="h-72 w-full" />
    </div>
  );
}

function Whole({ memory }: { memory: Schemas["MemoryOne"] }) {
  const me = useMe();
  const mayWrite = useMayWrite();
  const hasMetadata = Object.keys(memory.metadata_).length > 0;
  return (
    <div className="grid gap-x-12 gap-y-8 lg:grid-cols-[minmax(0,1fr)_20rem]">
      <div className="grid content-start gap-8">
        <Content memory={memory} mayWrite={mayWrite} />
        <History id={memory.id} current={memory.version} mayRestore={mayWrite && me.app === null} />
        <Explain id={memory.id} />
      </div>
      <aside className="grid content-start gap-8" aria-label="About this memory">
        <About memory={memory} mayWrite={mayWrite} />
        {hasMetadata && (
          <Section title="Metadata">
            <Pairs of={memory.metadata_} />
          </Section>
        )}
        <Provenance memory={memory} />
        {me.app === null && <Readers id={memory.id} />}
        <Transitions id={memory.id} />
        <Accesses id={memory.id} />
        <Related id={memory.id} />
      </aside>
    </div>
  );
}

function About({ memory, mayWrite }: { memory: Schemas["MemoryOne"]; mayWrite: boolean }) {
  const [isOpen, setOpen] = useState(false);
  return (
    <Section
      title="About"
      aside={
        mayWrite && (
          <Button variant="ghost" size="small" onClick={() => setOpen(true)}>
            <SlidersHorizontal /> Details
          </Button>
        )
      }
    >
      <Facts memory={memory} />
      {isOpen && <DetailsDialog memory={memory} setOpen={setOpen} />}
    </Section>
  );
}

/** The categories and tags of a memory, and the way to change them. */
function MemoryLabels({ memory, mayWrite }: { memory: Schemas["MemoryOne"]; mayWrite: boolean }) {
  const [isOpen, setOpen] = useState(false);
  const label = useLabel();
  const { categories, tags } = memory;
  return (
    <>
      {categories.map((name) => (
        <Badge key={name}>{name}</Badge>
      ))}
      {tags.map((name) => (
        <Link
          key={name}
          href={`/memories/?tags=${encodeURIComponent(name)}`}
          className="text-[0.8125rem] break-all text-muted-foreground hover:text-accent"
        >
          #{name}
        </Link>
      ))}
      {mayWrite && (
        <Button variant="ghost" size="small" onClick={() => setOpen(true)}>
          <Tags /> Labels
        </Button>
      )}
      {isOpen && (
        <LabelDialog
          title="Labels"
          present={{ categories, tags }}
          setOpen={setOpen}
          onSave={(added, removed) => label.mutate({ ids: [memory.id], added, removed })}
        />
      )}
    </>
  );
}

function Content({ memory, mayWrite }: { memory: Schemas["MemoryOne"]; mayWrite: boolean }) {
  const [isEditing, setEditing] = useState(false);
  const { edit, setState, remove } = useMemoryChanges();
  useShortcuts({
    e: (event) => {
      event.preventDefault();
      if (mayWrite) setEditing(true);
    },
  });
  function save(content: string) {
    setEditing(false);
    edit.mutate({ id: memory.id, content });
  }
  const shown = edit.isPending ? edit.variables.content : memory.content;
  return (
    <section aria-label="Text">
      {isEditing ? (
        <Editor text={memory.content} onSave={save} onCancel={() => setEditing(false)} />
      ) : (
        <p className="text-lg leading-relaxed break-words whitespace-pre-line">{shown}</p>
      )}
      <div className="mt-3 flex flex-wrap items-center gap-1.5">
        <StateBadge state={memory.state} />
        <MemoryLabels memory={memory} mayWrite={mayWrite} />
        {mayWrite && !isEditing && (
          <span className="ml-auto flex items-center">
            <Button variant="ghost" size="small" onClick={() => setEditing(true)}>
              <Pencil /> Edit
            </Button>
            <RowMenu
              memory={memory}
              canOpen={false}
              onEdit={() => setEditing(true)}
              onState={(state: State) => setState.mutate({ ids: [memory.id], state })}
              onDelete={() => remove.mutate([memory.id])}
            />
          </span>
        )}
      </div>
    </section>
  );
}

/** A memory that is not there: a deleted one still has its history, and can be brought back. */
function Gone({ id, error }: { id: string; error: ApiError }) {
  const history = useHistory(id, 1);
  const restore = useRestore(id);
  const mayWrite = useMayWrite();
  if (history.isPending) return <Loading />;
  const last = history.data?.items[0];
  if (last?.state !== "deleted") return <Failure error={error} />;
  return (
    <>
      <Notice
        icon={<Trash2 />}
        title="This memory was deleted"
        action={
          mayWrite && (
            <Button variant="primary" disabled={restore.isPending} onClick={() => restore.mutate(undefined)}>
              <RotateCcw /> Restore it
            </Button>
          )
        }
      >
        No app is shown it. It can be brought back until it is purged.
      </Notice>
      <History id={id} current={last.version} mayRestore={false} />
    </>
  );
}
