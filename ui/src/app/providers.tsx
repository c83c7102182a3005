"use client";

import { QueryClientProvider } from "@tanstack/react-query";
import dynamic from "next/dynamic";
import { NuqsAdapter } from "nuqs/adapters/next/app";
import { type ReactNode, Suspense, useState } from "react";
import { Queries } from "@/api/queries";
import { SessionProvider } from "@/api/session";
import { FollowSystemTheme } from "@/components/shell/theme";
import { loadSonner } from "@/notify";

const Toaster = dynamic(() => loadSonner().then((it) => it.Toaster), { ssr: false });

/** What every page needs. Nothing is asked twice by itself: what fails says so, and says how to try again. */
export function Providers({ children }: { children: ReactNode }) {
  const [queries] = useState(
    () =>
      new Queries({
        defaultOptions: {
          queries: { retry: false, staleTime: 5_000, networkMode: "always" },
          mutations: { retry: false, networkMode: "always" },
        },
      }),
  );
  return (
    <QueryClientProvider client={queries}>
      <Suspense>
        <NuqsAdapter>
          <SessionProvider>{children}</SessionProvider>
        </NuqsAdapter>
      </Suspense>
      <FollowSystemTheme />
      <Toaster
        position="bottom-right"
        visibleToasts={4}
        toastOptions={{
          style: { background: "var(--raised)", color: "var(--foreground)", borderColor: "var(--border)" },
        }}
      />
    </QueryClientProvider>
  );
}
