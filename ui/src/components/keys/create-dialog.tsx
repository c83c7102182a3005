"use client";

import { type FormEvent, useId, useState } from "react";
import { type Made, useMakeKey } from "@/api/keys";
import { useApps } from "@/api/memories";
import { useOwner } from "@/api/owner";
import { useMe } from "@/api/session";
import { useUsers } from "@/api/users";
import { Commands, Secret } from "../connect/commands";
import { Button } from "../ui/button";
import { Checkbox } from "../ui/checkbox";
import { Dialog, DialogActions, DialogContent } from "../ui/dialog";
import { Field, Input, NativeSelect } from "../ui/field";
import { dayOf, endOf, LIVES } from "./expiry";

const SCOPES = [
  { scope: "read", label: "Read", note: "Search and read memories, and what was done with them." },
  { scope: "write", label: "Write", note: "Store, change, pause and delete memories." },
  { scope: "admin", label: "Administer", note: "Everybody's memories, users, keys and the configuration." },
] as const;
type Scope = (typeof SCOPES)[number]["scope"];

/** A new key, for whomever and for whichever app; or `app`'s, if one is given. It is shown once. */
export function CreateKeyDialog({ app, onClose }: { app?: { id: string; name: string }; onClose: () => void }) {
  const [made, setMade] = useState<Made | null>(null);
  const keepOpen = (event: Event) => made && event.preventDefault(); // a slip must not take the secret away
  return (
    <Dialog open onOpenChange={(isOpen) => !isOpen && onClose()}>
      <DialogContent
        title={made ? "Your new key" : app ? `New key for ${app.name}` : "New API key"}
        onPointerDownOutside={keepOpen}
        onEscapeKeyDown={keepOpen}
      >
        {made ? <Shown made={made} onDone={onClose} /> : <Form app={app} onMade={setMade} onCancel={onClose} />}
      </DialogContent>
    </Dialog>
  );
}

function Shown({ made, onDone }: { made: Made; onDone: () => void }) {
  const who = {
    key: made.key,
    user: made.user_id,
    app: made.app_name ? undefined : "my-agent",
    mayRead: made.scopes.includes("read"),
    mayWrite: made.scopes.includes("write"),
  };
  const hasCommands = who.mayRead || who.mayWrite;
  return (
    <div className="grid grid-cols-[minmax(0,1fr)] gap-4">
      <Secret value={made.key} hasCommands={hasCommands} />
      {hasCommands && <Commands who={who} />}
      <DialogActions>
        <Button variant="primary" onClick={onDone}>
          I have kept it
        </Button>
      </DialogActions>
    </div>
  );
}

type FormProps = { app?: { id: string; name: string }; onMade: (made: Made) => void; onCancel: () => void };

function Form({ app, onMade, onCancel }: FormProps) {
  const me = useMe();
  const { writesFor } = useOwner();
  const make = useMakeKey();
  const isAdmin = me.scopes.includes("admin");
  const [label, setLabel] = useState("");
  const [user, setUser] = useState(writesFor);
  const [appName, setAppName] = useState("");
  const [scopes, setScopes] = useState<Scope[]>(["read", "write"]);
  const [life, setLife] = useState("never");
  const [date, setDate] = useState("");
  function submit(event: FormEvent) {
    event.preventDefault();
    const whose = app
      ? { app_id: app.id }
      : { user_id: user.trim() || undefined, app_name: appName.trim() || undefined };
    make.mutate({ label: label.trim(), scopes, expires_at: endOf(life, date), ...whose }, { onSuccess: onMade });
  }
  return (
    <form onSubmit={submit} className="grid gap-4">
      <Field label="Label" hint="What it is for, to know it again: “laptop”, “work agent”.">
        {(id) => (
          <Input id={id} required value={label} maxLength={255} onChange={(event) => setLabel(event.target.value)} />
        )}
      </Field>
      {!app && isAdmin && <UserField value={user} onChange={setUser} />}
      {!app && <AppField value={appName} onChange={setAppName} />}
      <ScopeField has={me.scopes} value={scopes} onChange={setScopes} />
      <Expiry life={life} date={date} onLife={setLife} onDate={setDate} />
      {make.error && (
        <p role="alert" className="text-danger">
          {make.error.message}
        </p>
      )}
      <DialogActions>
        <Button onClick={onCancel}>Cancel</Button>
        <Button type="submit" variant="primary" disabled={make.isPending || scopes.length === 0 || !label.trim()}>
          {make.isPending ? "Making it…" : "Make the key"}
        </Button>
      </DialogActions>
    </form>
  );
}

function UserField({ value, onChange }: { value: string; onChange: (user: string) => void }) {
  const users = useUsers(value, 1);
  const list = useId();
  return (
    <Field label="User" hint="Whose memories it opens.">
      {(id) => (
        <>
          <Input
            id={id}
            required
            list={list}
            maxLength={255}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          <datalist id={list}>
            {users.data?.items.map((user) => (
              <option key={user.id} value={user.user_id}>
                {user.name}
              </option>
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

function AppField({ value, onChange }: { value: string; onChange: (app: string) => void }) {
  const apps = useApps(value);
  const list = useId();
  return (
    <Field label="App" hint="Bound to one it can be nothing else, and the app's pause and access rules hold for it.">
      {(id) => (
        <>
          <Input
            id={id}
            list={list}
            placeholder="Any app"
            maxLength={255}
            value={value}
            onChange={(event) => onChange(event.target.value)}
          />
          <datalist id={list}>
            {[...new Set(apps.data?.apps.map(({ name }) => name))].map((name) => (
              <option key={name} value={name} />
            ))}
          </datalist>
        </>
      )}
    </Field>
  );
}

type ScopeFieldProps = { has: string[]; value: Scope[]; onChange: (scopes: Scope[]) => void };

function ScopeField({ has, value, onChange }: ScopeFieldProps) {
  const id = useId();
  return (
    <fieldset className="grid gap-2">
      <legend className="mb-1.5 font-medium">What it may</legend>
      {SCOPES.filter(({ scope }) => has.includes(scope)).map(({ scope, label, note }) => (
        <div key={scope} className="flex gap-3">
          <Checkbox
            id={`${id}-${scope}`}
            className="mt-0.5"
            aria-describedby={`${id}-${scope}-note`}
            checked={value.includes(scope)}
            onCheckedChange={(isOn) =>
              onChange(isOn === true ? [...value, scope] : value.filter((one) => one !== scope))
            }
          />
          <div>
            <label htmlFor={`${id}-${scope}`} className="font-medium">
              {label}
            </label>
            <p id={`${id}-${scope}-note`} className="text-[0.8125rem] text-muted-foreground">
              {note}
            </p>
          </div>
        </div>
      ))}
      {value.length === 0 && <p className="text-[0.8125rem] text-danger">Choose at least one.</p>}
    </fieldset>
  );
}

type ExpiryProps = { life: string; date: string; onLife: (life: string) => void; onDate: (date: string) => void };

function Expiry({ life, date, onLife, onDate }: ExpiryProps) {
  const tomorrow = new Date();
  tomorrow.setDate(tomorrow.getDate() + 1);
  return (
    <div className="flex flex-wrap gap-3">
      <Field label="Expires">
        {(id) => (
          <NativeSelect id={id} value={life} onChange={(event) => onLife(event.target.value)}>
            {["never", "30", "90", "365", "date"].map((choice) => (
              <option key={choice} value={choice}>
                {LIVES[choice as keyof typeof LIVES]}
              </option>
            ))}
          </NativeSelect>
        )}
      </Field>
      {life === "date" && (
        <Field label="With the end of">
          {(id) => (
            <Input
              id={id}
              type="date"
              required
              className="w-auto"
              min={dayOf(tomorrow)}
              max="9998-12-31"
              value={date}
              onChange={(event) => onDate(event.target.value)}
            />
          )}
        </Field>
      )}
    </div>
  );
}
