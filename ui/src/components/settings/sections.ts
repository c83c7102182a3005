import { Archive, CircleUser, type LucideIcon, SunMoon } from "lucide-react";

export type SettingsSection = { href: string; label: string; icon: LucideIcon; admin?: boolean };

/**
 * The pages of the settings, in their order. A new one is a folder in `src/app/(board)/settings` and a line here;
 * `admin` ones are listed for admins alone (the server refuses everybody else by itself).
 */
export const SECTIONS: SettingsSection[] = [
  { href: "/settings/", label: "Appearance", icon: SunMoon },
  { href: "/settings/account/", label: "Account", icon: CircleUser },
  { href: "/settings/backups/", label: "Backups", icon: Archive },
];
