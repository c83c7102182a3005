import { AppWindow, Gauge, Library, type LucideIcon, SearchCode } from "lucide-react";

export type Page = { href: string; label: string; icon: LucideIcon; also?: string[] };

/** The pages in the navigation. A new page is a folder in `src/app/(board)` and a line here. */
export const PAGES: Page[] = [
  { href: "/", label: "Overview", icon: Gauge },
  { href: "/memories/", label: "Memories", icon: Library, also: ["/memory/"] },
  { href: "/apps/", label: "Apps", icon: AppWindow, also: ["/app/"] },
  { href: "/search/", label: "Search lab", icon: SearchCode },
];
