"use client";

import { CircleAlert, FileX } from "lucide-react";
import { type ReactNode, useEffect, useRef, useState } from "react";
import { ApiError } from "@/api/client";
import { type Chosen, type Format, type Preview, usePreview, useTakeIn } from "@/api/imports";
import { useOwner } from "@/api/owner";
import { useMe } from "@/api/session";
import { Section } from "../page-header";
import { Notice } from "../states";
import { Button } from "../ui/button";
import { promise, usual } from "./choices";
import { Chooser, Treatments } from "./conversations";
import { DropZone } from "./drop-zone";
import { Meter } from "./meter";
import { Mode, Options } from "./options";
import { Figures, Items, Problems, Warnings } from "./preview";

type ImporterProps = {
  title: string;
  note: string;
  accept: string;
  onTaken: (id: string) => void;
  children?: ReactNode;
};

/** From a file to an import: choose it, look at what is in it, say what should become of it.
 *
 * `children` are shown while no file is chosen.
 */
export function Importer({ title, note, accept, onTaken, children }: ImporterProps) {
  const [file, setFile] = useState<File | null>(null);
  const [sent, setSent] = useState(0);
  const preview = usePreview();
  const running = useRef<AbortController | null>(null);
  useEffect(() => () => running.current?.abort(), []);

  function look(next: File, format: Format | "" = "") {
    running.current?.abort();
    running.current = new AbortController();
    setFile(next);
    setSent(0);
    preview.mutate({ file: next, chosen: { format }, signal: running.current.signal, onSent: setSent });
  }
  function forget() {
    running.current?.abort();
    setFile(null);
    preview.reset();
  }

  if (!file) {
    return (
      <>
        <DropZone title={title} note={note} accept={accept} onFile={look} />
        {children}
      </>
    );
  }
  if (preview.isPending) {
    return (
      <div className="grid gap-4 rounded-lg border bg-raised p-4" aria-busy="true">
        <Meter
          label={sent < 1 ? `Uploading ${file.name}` : `Reading ${file.name}`}
          share={sent < 1 ? sent : null}
          note={size(file.size)}
        />
        <Button size="small" className="justify-self-start" onClick={forget}>
          Cancel
        </Button>
      </div>
    );
  }
  if (preview.isError || !preview.data) {
    return <Refused error={preview.error} file={file} onAgain={() => look(file)} onForget={forget} />;
  }
  return (
    <Looked
      key={`${preview.data.format} ${file.name}`}
      file={file}
      found={preview.data}
      format={preview.variables?.chosen?.format ?? ""}
      onFormat={(format) => look(file, format)}
      onForget={forget}
      onTaken={onTaken}
    />
  );
}

type RefusedProps = { error: Error | null; file: File; onAgain: () => void; onForget: () => void };

function Refused({ error, file, onAgain, onForget }: RefusedProps) {
  const isTooLarge = error instanceof ApiError && error.status === 413;
  const isWrong = error instanceof ApiError && error.status < 500;
  return (
    <div role="alert" className="rounded-lg border bg-raised">
      <Notice
        icon={isWrong ? <FileX /> : <CircleAlert />}
        title={isTooLarge ? `${file.name} is too large` : `${file.name} cannot be imported`}
        action={
          <>
            <Button variant="primary" size="small" onClick={onForget}>
              Choose another file
            </Button>
            {!isWrong && (
              <Button size="small" onClick={onAgain}>
                Try again
              </Button>
            )}
          </>
        }
      >
        <span className="break-words">{error?.message ?? "The server said nothing"}</span>
      </Notice>
    </div>
  );
}

type LookedProps = {
  file: File;
  found: Preview;
  format: Format | "";
  onFormat: (format: Format) => void;
  onForget: () => void;
  onTaken: (id: string) => void;
};

function Looked({ file, found, format, onFormat, onForget, onTaken }: LookedProps) {
  const [chosen, setChosen] = useState<Chosen>(() => ({ ...usual(found), format }));
  const [talks, setTalks] = useState(() => new Set(found.talks.map(({ id }) => id)));
  const [sent, setSent] = useState(0);
  const takeIn = useTakeIn();
  const { writesFor } = useOwner();
  const me = useMe();
  const heading = useRef<HTMLHeadingElement>(null);
  useEffect(() => heading.current?.focus(), []);
  const change = (part: Partial<Chosen>) => setChosen((before) => ({ ...before, ...part }));
  const areAll = talks.size === found.talks.length;
  const wanted = { ...chosen, conversationIds: areAll ? null : [...talks] };
  const says = promise(found, wanted);
  const isBackup = found.format === "openmemory";
  function begin() {
    setSent(0);
    takeIn.mutate({ file, chosen: wanted, onSent: setSent }, { onSuccess: ({ id }) => onTaken(id) });
  }
  return (
    <div className="grid gap-6">
      <div>
        <h2 ref={heading} tabIndex={-1} className="break-words outline-none">
          {file.name}
        </h2>
        <p className="text-muted-foreground">
          {found.label}, {size(file.size)}. Nothing has been written yet.
          {writesFor !== me.user.user_id && ` It will be ${writesFor}’s.`}
        </p>
      </div>
      <Figures found={found} />
      <Warnings found={found} />
      {found.conversations > 0 && (
        <div className="grid gap-3">
          <Treatments
            found={found}
            value={chosen.conversations}
            onChange={(conversations) => change({ conversations })}
          />
          {chosen.conversations !== "skip" && <Chooser talks={found.talks} chosen={talks} onChange={setTalks} />}
        </div>
      )}
      {isBackup ? (
        <Mode found={found} value={chosen.mode} onChange={(mode) => change({ mode })} />
      ) : (
        <Section title="What should be said of them?">
          <Options found={found} chosen={chosen} onChange={change} onFormat={onFormat} />
        </Section>
      )}
      <Problems found={found} />
      <Items found={found} />
      <div className="sticky bottom-0 -mx-1 grid gap-3 border-t bg-background px-1 py-3">
        {takeIn.isError && (
          <p role="alert" className="text-danger">
            {takeIn.error.message}
          </p>
        )}
        {takeIn.isPending ? (
          <Meter label={sent < 1 ? "Uploading" : "Taking in"} share={sent < 1 ? sent : null} note={size(file.size)} />
        ) : (
          <div className="flex flex-wrap items-center gap-2">
            <Button
              variant="primary"
              className="max-w-full whitespace-normal max-sm:h-auto max-sm:min-h-9 max-sm:py-1.5"
              disabled={says === null}
              onClick={begin}
            >
              {says ?? "Nothing to import"}
            </Button>
            <Button onClick={onForget}>Choose another file</Button>
            {says === null && <span className="text-muted-foreground">All of it is here already, or left out.</span>}
          </div>
        )}
      </div>
    </div>
  );
}

const UNITS = ["bytes", "kB", "MB", "GB"];

/** "4.2 MB". */
export function size(bytes: number): string {
  const power = Math.min(UNITS.length - 1, Math.floor(Math.log10(Math.max(1, bytes)) / 3));
  const amount = bytes / 1000 ** power;
  return `${amount.toLocaleString(undefined, { maximumFractionDigits: power === 0 ? 0 : 1 })} ${UNITS[power]}`;
}
