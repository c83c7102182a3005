import {
  AppWindow,
  FileUp,
  Gauge,
  Inbox,
  Library,
  type LucideIcon,
  SearchCode,
  Settings,
  Waypoints,
} from "lucide-react";

/** `also` are other addresses of the page, `within` says that all beneath `href` are. */
export type Page = { href: string; label: string; icon: LucideIcon; also?: string[]; within?: boolean };

/** The pages in the navigation. A new page is a folder in `src/app/(board)` and a line here. */
export const PAGES: Page[] = [
  { href: "/", label: "Overview", icon: Gauge },
  { href: "/memories/", label: "Memories", icon: Library, also: ["/memory/"] },
  { href: "/review/", label: "Review", icon: Inbox },
  { href: "/apps/", label: "Apps", icon: AppWindow, also: ["/app/"] },
  { href: "/graph/", label: "Graph", icon: Waypoints },
  { href: "/search/", label: "Search lab", icon: SearchCode },
  { href: "/import/", label: "Import", icon: FileUp },
  { href: "/settings/", label: "Settings", icon: Settings, within: true },
];
