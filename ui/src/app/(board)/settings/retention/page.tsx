"use client";

import { PageHeader } from "@/components/page-header";
import { WithConfig } from "@/components/settings/loaded";
import { RetentionPreview } from "@/components/settings/retention-preview";
import { RetentionRules } from "@/components/settings/retention-rules";

export default function Retention() {
  return (
    <>
      <PageHeader
        title="Retention"
        note="What is archived by itself, once an hour, and when deleted memories are destroyed. Pinned memories are exempt; what is archived can be brought back."
      />
      <WithConfig>
        {(config, schema) => (
          <div className="grid gap-10">
            <RetentionRules config={config} schema={schema} />
            <RetentionPreview />
          </div>
        )}
      </WithConfig>
    </>
  );
}
