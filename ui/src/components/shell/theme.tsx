"use client";

import { Monitor, Moon, Sun } from "lucide-react";
import { useEffect, useState } from "react";
import { MenuLabel, MenuRadioGroup, MenuRadioItem } from "../ui/menu";

const KEPT = "commonplace.theme"; // public/theme.js reads it before the first paint
const THEMES = [
  { value: "light", label: "Light", icon: Sun },
  { value: "dark", label: "Dark", icon: Moon },
  { value: "system", label: "System", icon: Monitor },
];

function apply(theme: string): void {
  const isDark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", isDark);
}

/** The choice of a theme, as a part of a menu. */
export function ThemeChoice() {
  const [theme, setTheme] = useState(() => localStorage.getItem(KEPT) ?? "system");
  function choose(value: string) {
    localStorage.setItem(KEPT, value);
    setTheme(value);
    apply(value);
  }
  return (
    <>
      <MenuLabel>Theme</MenuLabel>
      <MenuRadioGroup value={theme} onValueChange={choose}>
        {THEMES.map(({ value, label, icon: Icon }) => (
          <MenuRadioItem key={value} value={value} onSelect={(event) => event.preventDefault()}>
            <Icon /> {label}
          </MenuRadioItem>
        ))}
      </MenuRadioGroup>
    </>
  );
}

/** Follows the system's change from day to night. */
export function FollowSystemTheme() {
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => apply(localStorage.getItem(KEPT) ?? "system");
    system.addEventListener("change", follow);
    return () => system.removeEventListener("change", follow);
  }, []);
  return null;
}
