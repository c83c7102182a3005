"use client";

import { useRouter } from "next/navigation";
import { useMayWrite, useMe } from "@/api/session";
import { Export } from "@/components/import/export";
import { Importer } from "@/components/import/importer";
import { PageHeader, Section } from "@/components/page-header";

export default function Backups() {
  const mayWrite = useMayWrite();
  const me = useMe();
  const router = useRouter();
  return (
    <>
      <PageHeader title="Backups" note="Memories with their versions, categories, apps and states, as one zip." />
      <div className="grid max-w-3xl gap-8">
        {me.app === null ? <Export /> : <p className="text-muted-foreground">The key of an app may not export.</p>}
        {mayWrite && me.app === null && (
          <Section title="Bring a backup back">
            <Importer
              title="Drop a backup here"
              note="The zip of an export, of this server or of another"
              accept=".zip"
              onTaken={(id) => router.push(`/import/?id=${id}`)}
            />
          </Section>
        )}
      </div>
    </>
  );
}
