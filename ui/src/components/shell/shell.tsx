"use client";

import { Keyboard } from "lucide-react";
import dynamic from "next/dynamic";
import Link from "next/link";
import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { connection } from "@/api/connection";
import { useReviewCounts, waiting } from "@/api/review";
import { cn } from "@/cn";
import { grouped } from "@/format";
import { notify } from "@/notify";
import { Button } from "../ui/button";
import { useCurrentInView } from "./current-in-view";
import { OfflineBanner } from "./offline";
import { PAGES, type Page } from "./pages";
import { useShortcutsDialog } from "./shortcuts";

// Menus come after the page; their places are kept, so that nothing moves.
const Place = () => <span className="size-9" />;
const UserMenu = dynamic(() => import("./user-menu").then((it) => it.UserMenu), { ssr: false, loading: Place });
const OwnerMenu = dynamic(() => import("./user-menu").then((it) => it.OwnerMenu), { ssr: false, loading: Place });
const ShortcutsDialog = dynamic(() => import("./shortcuts-dialog").then((it) => it.ShortcutsDialog), { ssr: false });

function isAt(path: string, { href, also = [], within }: Page): boolean {
  return path === href || also.includes(path) || `${path}/` === href || (within === true && path.startsWith(href));
}

// A page that is not here yet cannot come while the server is gone: the browser would show its own error instead.
function stayIfOffline(event: { preventDefault: () => void }) {
  if (connection.get()) return;
  event.preventDefault();
  notify.failed("Wait until the server is back");
}

function Navigation() {
  const path = usePathname();
  const nav = useCurrentInView(path);
  return (
    <nav
      ref={nav}
      aria-label="Pages of the dashboard"
      className="relative -mb-px flex min-w-0 gap-1 overflow-x-auto max-md:order-last max-md:-mx-2 max-md:w-full"
    >
      {PAGES.map((page) => (
        <Link
          key={page.href}
          href={page.href}
          onNavigate={stayIfOffline}
          aria-current={isAt(path, page) ? "page" : undefined}
          className={cn(
            "relative flex h-12 items-center gap-2 border-b-2 border-transparent px-2.5 whitespace-nowrap text-muted-foreground hover:text-foreground max-md:h-10 max-sm:px-2",
            "focus-visible:-outline-offset-2 aria-[current=page]:border-accent aria-[current=page]:font-medium aria-[current=page]:text-foreground",
          )}
        >
          <page.icon className="size-4 max-sm:hidden" />
          {page.label}
          {page.href === "/review/" && <Waiting />}
        </Link>
      ))}
    </nav>
  );
}

/** How much waits for a decision, above the name: nothing moves when it comes. */
function Waiting() {
  const { data } = useReviewCounts();
  const count = data ? waiting(data) : 0;
  if (count === 0) return null;
  return (
    <span className="tabular absolute top-1 right-0 rounded-full bg-accent px-1 text-[0.625rem] leading-3.5 font-semibold text-accent-foreground max-md:top-0.5">
      {count > 99 ? "99+" : grouped(count)}
      <span className="sr-only"> to decide</span>
    </span>
  );
}

/** What surrounds every page: the way to the others, the account, and what is said when the server is gone. */
export function Shell({ children }: { children: ReactNode }) {
  const keys = useShortcutsDialog();
  return (
    <>
      <a
        href="#content"
        className="absolute top-2 left-2 z-50 -translate-y-16 rounded-md bg-accent px-3 py-2 text-accent-foreground focus:translate-y-0"
      >
        Skip to the content
      </a>
      <header className="sticky top-0 z-30 border-b bg-background">
        <div className="mx-auto flex max-w-7xl flex-wrap items-center gap-x-5 px-4 sm:px-6">
          <Link href="/" className="flex h-12 items-center gap-2 font-semibold tracking-tight">
            <Mark /> Commonplace
          </Link>
          <Navigation />
          <div className="ml-auto flex min-w-0 items-center gap-1">
            <OwnerMenu />
            <Button
              variant="ghost"
              size="icon"
              className="max-md:hidden"
              aria-label="Keys"
              title="Keys (?)"
              onClick={() => keys.setOpen(true)}
            >
              <Keyboard />
            </Button>
            <UserMenu />
          </div>
        </div>
        <OfflineBanner />
      </header>
      <main id="content" tabIndex={-1} className="mx-auto max-w-7xl px-4 py-6 outline-none sm:px-6">
        {children}
      </main>
      {keys.isOpen && <ShortcutsDialog isOpen setOpen={keys.setOpen} />}
    </>
  );
}

/** The mark: an open book, as a commonplace book is one. */
export function Mark() {
  return (
    <svg viewBox="0 0 20 20" className="size-5 text-accent" aria-hidden="true">
      <path
        d="M10 5.2C8.4 4 6.200 3.500 3 3.500v11.500c3.200 0 5.400.5 7 1.700 1.600-1.200 3.800-1.700 7-1.700V3.500c-3.200 0-5.400.5-7 1.700Zm0 0v11.500"
        fill="none"
        stroke="currentColor"
        strokeWidth="1.6"
        strokeLinejoin="round"
      />
    </svg>
  );
}
