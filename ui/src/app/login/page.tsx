"use client";

import { useMutation } from "@tanstack/react-query";
import { useRouter } from "next/navigation";
import { type FormEvent, useEffect, useState } from "react";
import { useSession } from "@/api/session";
import { OfflineBanner } from "@/components/shell/offline";
import { Mark } from "@/components/shell/shell";
import { Button } from "@/components/ui/button";
import { Field, Input } from "@/components/ui/field";
import { Tabs, TabsContent, TabsList, TabsTrigger } from "@/components/ui/tabs";

/** Where to go then: the page that was wanted, if it is one of ours. */
function wanted(): string {
  const next = new URLSearchParams(window.location.search).get("next") ?? "/";
  return /^\/(?![/\\])/.test(next) && !next.startsWith("/login") ? next : "/";
}

function text(form: FormEvent<HTMLFormElement>, name: string): string {
  return String(new FormData(form.currentTarget).get(name) ?? "");
}

export default function Login() {
  const { session, signIn } = useSession();
  const router = useRouter();
  const [way, setWay] = useState("key");
  const signing = useMutation({ mutationFn: signIn });

  useEffect(() => {
    if (session.state === "in") router.replace(wanted());
  }, [session.state, router]);

  function choose(value: string) {
    setWay(value);
    signing.reset();
  }

  function submit(event: FormEvent<HTMLFormElement>) {
    event.preventDefault();
    const shown =
      way === "key"
        ? { api_key: text(event, "key").trim() }
        : { user_id: text(event, "user"), password: text(event, "password") };
    signing.mutate(shown);
  }

  return (
    <main className="min-h-dvh">
      <OfflineBanner />
      <div className="mx-auto w-[min(24rem,calc(100vw-2rem))] pt-[14vh]">
        <div className="mb-6 flex items-center gap-2.5 [&_svg]:size-7">
          <Mark />
          <h1>Sign in to Commonplace</h1>
        </div>
        <form onSubmit={submit} className="grid gap-4">
          <Tabs value={way} onValueChange={choose}>
            <TabsList aria-label="How to sign in" className="mb-4">
              <TabsTrigger value="key">API key</TabsTrigger>
              <TabsTrigger value="password">Password</TabsTrigger>
            </TabsList>
            <TabsContent value="key" className="grid gap-4">
              <Field label="API key" hint="The first start of the server printed one.">
                {(id) => (
                  <Input
                    id={id}
                    name="key"
                    type="password"
                    required
                    autoComplete="off"
                    spellCheck={false}
                    placeholder="cp_…"
                    className="font-mono"
                  />
                )}
              </Field>
            </TabsContent>
            <TabsContent value="password" className="grid gap-4">
              <Field label="User">
                {(id) => <Input id={id} name="user" required autoComplete="username" spellCheck={false} />}
              </Field>
              <Field label="Password">
                {(id) => <Input id={id} name="password" type="password" required autoComplete="current-password" />}
              </Field>
            </TabsContent>
          </Tabs>
          {signing.isError && (
            <p role="alert" className="rounded-md bg-danger-soft px-3 py-2 text-danger">
              {signing.error.message}
            </p>
          )}
          <Button type="submit" variant="primary" disabled={signing.isPending}>
            {signing.isPending ? "Signing in…" : "Sign in"}
          </Button>
          {way === "password" && (
            <p className="text-[0.8125rem] text-muted-foreground">
              No password yet? Sign in with an API key and set one under Account, or run{" "}
              <code className="font-mono">commonplace user password</code> on the server.
            </p>
          )}
        </form>
      </div>
    </main>
  );
}
