"use client";

import Link from "next/link";
import { usePathname } from "next/navigation";
import type { ReactNode } from "react";
import { useMe } from "@/api/session";
import { useCurrentInView } from "../shell/current-in-view";
import { SECTIONS } from "./sections";

/** The settings' own navigation beside the section that is open; above it where there is no room. */
export function SettingsFrame({ children }: { children: ReactNode }) {
  const path = usePathname();
  const me = useMe();
  const isAdmin = me.scopes.includes("admin") && me.app === null;
  const nav = useCurrentInView(path);
  return (
    <div className="grid gap-x-10 gap-y-5 md:grid-cols-[11rem_minmax(0,1fr)]">
      <nav
        ref={nav}
        aria-label="Settings"
        className="flex gap-1 max-md:relative max-md:-mx-4 max-md:overflow-x-auto max-md:px-4 md:sticky md:top-18 md:flex-col md:self-start"
      >
        {SECTIONS.filter(({ admin }) => isAdmin || !admin).map(({ href, label, icon: Icon }) => (
          <Link
            key={href}
            href={href}
            aria-current={path === href || `${path}/` === href ? "page" : undefined}
            className="flex items-center gap-2 rounded-md px-2.5 py-1.5 whitespace-nowrap text-muted-foreground hover:bg-muted hover:text-foreground focus-visible:-outline-offset-2 aria-[current=page]:bg-muted aria-[current=page]:font-medium aria-[current=page]:text-foreground"
          >
            <Icon className="size-4" />
            {label}
          </Link>
        ))}
      </nav>
      <div className="min-w-0">{children}</div>
    </div>
  );
}
