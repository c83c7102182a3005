"use client";

import { Download } from "lucide-react";
import { useState } from "react";
import { type Selected, useAppsToExport, useDownload, useExportCount } from "@/api/backups";
import { useOwner } from "@/api/owner";
import { counted } from "@/format";
import { notify } from "@/notify";
import { Section } from "../page-header";
import { Button } from "../ui/button";
import { Field, Input, NativeSelect } from "../ui/field";
import { size } from "./importer";
import { Meter } from "./meter";

/** What is to be in the zip, how many memories that is, and the zip. */
export function Export() {
  const [selected, setSelected] = useState<Selected>({ app: "", from: "", to: "" });
  const [bytes, setBytes] = useState(0);
  const { writesFor, isEverybody } = useOwner();
  const apps = useAppsToExport();
  const count = useExportCount(selected);
  const download = useDownload();
  const change = (part: Partial<Selected>) => setSelected((before) => ({ ...before, ...part }));
  function begin() {
    setBytes(0);
    download.mutate({ selected, onBytes: setBytes }, { onSuccess: () => notify.done("The backup is downloaded") });
  }
  return (
    <Section title="Make a backup">
      <div className="grid gap-4">
        <p className="text-muted-foreground">
          {`Of ${writesFor}’s active, paused and archived memories. `}
          {isEverybody && "A backup is of one person: choose another in the account menu to have theirs."}
        </p>
        <div className="grid items-start gap-4 sm:grid-cols-3">
          <Field label="Written by">
            {(id) => (
              <NativeSelect
                id={id}
                className="w-full"
                value={selected.app}
                onChange={(event) => change({ app: event.target.value })}
              >
                <option value="">All apps</option>
                {apps.data?.apps.map((app) => (
                  <option key={app.id} value={app.id}>
                    {app.name}
                  </option>
                ))}
              </NativeSelect>
            )}
          </Field>
          <Field label="Created from">
            {(id) => (
              <Input
                id={id}
                type="date"
                value={selected.from}
                onChange={(event) => change({ from: event.target.value })}
              />
            )}
          </Field>
          <Field label="Created until">
            {(id) => (
              <Input id={id} type="date" value={selected.to} onChange={(event) => change({ to: event.target.value })} />
            )}
          </Field>
        </div>
        {(count.error ?? download.error) && (
          <p role="alert" className="text-danger">
            {(count.error ?? download.error)?.message}
          </p>
        )}
        {download.isPending ? (
          <Meter label="Downloading" share={null} note={size(bytes)} />
        ) : (
          <div className="flex flex-wrap items-center gap-3">
            <Button variant="primary" disabled={!count.data || count.isError} onClick={begin}>
              <Download /> Download
            </Button>
            <span role="status" className="tabular text-muted-foreground">
              {count.data && !count.isError ? counted(count.data.memories, "memory", "memories") : "\u00a0"}
            </span>
          </div>
        )}
      </div>
    </Section>
  );
}
