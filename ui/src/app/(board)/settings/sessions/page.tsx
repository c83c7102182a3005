"use client";

import { PageHeader } from "@/components/page-header";
import { GrantList } from "@/components/sessions/grant-list";
import { LoginList } from "@/components/sessions/login-list";

export default function Sessions() {
  return (
    <>
      <PageHeader title="Sessions" note="Browsers that are signed in as you, and clients that work in your name." />
      <div className="grid max-w-3xl gap-8">
        <LoginList />
        <GrantList />
      </div>
    </>
  );
}
