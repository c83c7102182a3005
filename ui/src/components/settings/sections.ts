import {
  Archive,
  Braces,
  CircleUser,
  Cpu,
  KeyRound,
  type LucideIcon,
  MessageSquareText,
  MonitorSmartphone,
  SunMoon,
  Tags,
  TimerReset,
  Users,
} from "lucide-react";

export type SettingsSection = { href: string; label: string; icon: LucideIcon; admin?: boolean };

/**
 * The pages of the settings, in their order. A new one is a folder in `src/app/(board)/settings` and a line here;
 * `admin` ones are listed for admins alone (the server refuses everybody else by itself).
 */
export const SECTIONS: SettingsSection[] = [
  { href: "/settings/", label: "Appearance", icon: SunMoon },
  { href: "/settings/account/", label: "Account", icon: CircleUser },
  { href: "/settings/sessions/", label: "Sessions", icon: MonitorSmartphone },
  { href: "/settings/keys/", label: "API keys", icon: KeyRound },
  { href: "/settings/users/", label: "Users", icon: Users, admin: true },
  { href: "/settings/models/", label: "Models", icon: Cpu, admin: true },
  { href: "/settings/instructions/", label: "Extraction", icon: MessageSquareText, admin: true },
  { href: "/settings/categories/", label: "Categories", icon: Tags, admin: true },
  { href: "/settings/retention/", label: "Retention", icon: TimerReset, admin: true },
  { href: "/settings/json/", label: "JSON", icon: Braces, admin: true },
  { href: "/settings/backups/", label: "Backups", icon: Archive },
];
