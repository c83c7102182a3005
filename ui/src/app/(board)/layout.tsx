"use client";

import { usePathname, useRouter } from "next/navigation";
import { type ReactNode, useEffect } from "react";
import { OwnerProvider } from "@/api/owner";
import { useSession } from "@/api/session";
import { OfflineBanner } from "@/components/shell/offline";
import { Shell } from "@/components/shell/shell";
import { Skeleton } from "@/components/ui/skeleton";

/** The pages for who is signed in; everybody else is sent to sign in, and back here then. */
export default function BoardLayout({ children }: { children: ReactNode }) {
  const { session } = useSession();
  const router = useRouter();
  const path = usePathname();
  useEffect(() => {
    if (session.state !== "out") return;
    const here = path + window.location.search;
    router.replace(here === "/" ? "/login/" : `/login/?next=${encodeURIComponent(here)}`);
  }, [session.state, router, path]);
  if (session.state !== "in") {
    return (
      <main aria-busy="true" aria-label="Loading">
        <OfflineBanner />
        <div className="mx-auto grid max-w-7xl gap-4 px-4 py-20 sm:px-6">
          <h1 className="sr-only">Commonplace</h1>
          <Skeleton className="h-8 w-48" />
          <Skeleton className="h-64 w-full" />
        </div>
      </main>
    );
  }
  return (
    <OwnerProvider>
      <Shell>{children}</Shell>
    </OwnerProvider>
  );
}
