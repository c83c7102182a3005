"use client";

import { type ConfigSchema, type Configuration, useProviders } from "@/api/config";
import { useIndex } from "@/api/overview";
import { PageHeader, Section } from "@/components/page-header";
import { IndexStatus } from "@/components/settings/index-status";
import { type Knob, Knobs } from "@/components/settings/knobs";
import { Loaded, WithConfig } from "@/components/settings/loaded";
import { ProviderForm } from "@/components/settings/provider-form";
import { counted } from "@/format";

const RERANKING: Knob[] = [
  { key: "rerank", label: "Rerank every search", hint: "Searches that say nothing of it are reranked, too." },
  { key: "rerank_depth", label: "Hits that it sees", hint: "So many of the best are ordered anew." },
  {
    key: "rerank_budget_ms",
    label: "Patience",
    hint: "A search waits so long; then the order stays as it is.",
    unit: "ms",
  },
];

export default function Models() {
  return (
    <>
      <PageHeader
        title="Models"
        note="What learns, embeds, keeps vectors and ranks. A test calls it for real and saves nothing."
      />
      <WithConfig>{(config, schema) => <Forms config={config} schema={schema} />}</WithConfig>
    </>
  );
}

function Forms({ config, schema }: { config: Configuration; schema: ConfigSchema }) {
  const providers = useProviders();
  const index = useIndex();
  const all = index.data ? counted(index.data.memories, "memory", "memories") : "All memories";
  const again = `${all} will be embedded again in the background once this is saved; the index before serves until the new one is complete.`;
  return (
    <Loaded of={[providers]}>
      {() =>
        providers.data && (
          <div className="grid gap-7">
            <ProviderForm
              name="llm"
              title="LLM"
              none="None: texts are stored as they are said"
              note="Reads what agents send and decides what is worth remembering."
              config={config}
              choices={providers.data.llm}
            />
            <ProviderForm
              name="embedder"
              title="Embedder"
              note="Turns memories and questions into vectors. The local one needs no key and no network."
              config={config}
              choices={providers.data.embedder}
              consequence={again}
            />
            <ProviderForm
              name="vector_store"
              title="Vector store"
              note="Where vectors are kept: beside the memories in their database, or in a server of its own."
              config={config}
              choices={providers.data.vector_store}
              consequence={again}
            />
            <IndexStatus />
            <ProviderForm
              name="reranker"
              title="Reranker"
              none="None: hits stay in the order of the index"
              note="Reads the best hits of a search once more and puts them in order."
              config={config}
              choices={providers.data.reranker}
            />
            <Section title="Reranking">
              <Knobs config={config} schema={schema} knobs={RERANKING} told="Reranking saved" />
            </Section>
          </div>
        )
      }
    </Loaded>
  );
}
