"use client";

import { useMutation } from "@tanstack/react-query";
import { type FormEvent, useState } from "react";
import { api, body } from "@/api/client";
import { useMe, useSession } from "@/api/session";
import { PageHeader, Section } from "@/components/page-header";
import { Badge } from "@/components/ui/badge";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { notify } from "@/notify";

const SHORTEST = 8;

export default function Account() {
  const me = useMe();
  return (
    <>
      <PageHeader title="Account" note={`Signed in as ${me.user.user_id}`} />
      <div className="grid max-w-xl gap-8">
        <Profile />
        <Password />
      </div>
    </>
  );
}

function Profile() {
  const me = useMe();
  const { reload } = useSession();
  const [name, setName] = useState(me.user.name ?? "");
  const saving = useMutation({
    mutationFn: () =>
      body(
        api.PUT("/users/{user_id}", {
          params: { path: { user_id: me.user.user_id } },
          body: { name: name.trim() || null } as never, // only what is named is changed
        }),
      ),
    onSuccess: async () => {
      await reload();
      notify.done("Saved");
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    saving.mutate();
  }
  return (
    <Section
      title="Profile"
      aside={
        <span className="flex gap-1">
          {me.scopes.map((scope) => (
            <Badge key={scope}>{scope}</Badge>
          ))}
        </span>
      }
    >
      <form onSubmit={submit} className="grid gap-3">
        <Field label="Name" error={saving.error?.message}>
          {(id) => <Input id={id} value={name} maxLength={255} onChange={(event) => setName(event.target.value)} />}
        </Field>
        <Button type="submit" className="justify-self-start" disabled={saving.isPending}>
          Save
        </Button>
      </form>
    </Section>
  );
}

function Password() {
  const me = useMe();
  const { session, signIn, reload } = useSession();
  const [password, setPassword] = useState("");
  const [again, setAgain] = useState("");
  const differs = again !== "" && again !== password;
  const saving = useMutation({
    mutationFn: async () => {
      const params = { path: { user_id: me.user.user_id } };
      await body(api.PUT("/users/{user_id}", { params, body: { password } as never }));
      // A new password ends all logins, this one too.
      if (session.state === "in" && session.how === "login") await signIn({ user_id: me.user.user_id, password });
      else await reload();
    },
    onSuccess: () => {
      setPassword("");
      setAgain("");
      notify.done("The password is set. All other logins have ended.");
    },
  });
  function submit(event: FormEvent) {
    event.preventDefault();
    if (password === again) saving.mutate();
  }
  return (
    <Section title={me.user.has_password ? "Change the password" : "Set a password"}>
      {!me.user.has_password && (
        <p className="mb-3 text-muted-foreground">
          You have none yet. With one you sign in by your user name, {me.user.user_id}, and need no key for it.
        </p>
      )}
      <form onSubmit={submit} className="grid gap-3">
        <input type="hidden" name="username" autoComplete="username" value={me.user.user_id} readOnly />
        <Field label="New password" hint={`At least ${SHORTEST} characters.`} error={saving.error?.message}>
          {(id) => (
            <Input
              id={id}
              type="password"
              required
              minLength={SHORTEST}
              maxLength={1024}
              autoComplete="new-password"
              value={password}
              onChange={(event) => setPassword(event.target.value)}
            />
          )}
        </Field>
        <Field label="The same again" error={differs ? "The two are not the same." : undefined}>
          {(id) => (
            <Input
              id={id}
              type="password"
              required
              autoComplete="new-password"
              aria-invalid={differs}
              value={again}
              onChange={(event) => setAgain(event.target.value)}
            />
          )}
        </Field>
        <Button type="submit" className="justify-self-start" disabled={saving.isPending || differs}>
          {me.user.has_password ? "Change the password" : "Set the password"}
        </Button>
      </form>
    </Section>
  );
}
