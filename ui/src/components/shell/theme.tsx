"use client";

import { Monitor, Moon, Sun } from "lucide-react";
import { useEffect, useSyncExternalStore } from "react";
import { MenuLabel, MenuRadioGroup, MenuRadioItem } from "../ui/menu";

const KEPT = "commonplace.theme"; // public/theme.js reads it before the first paint
const CHANGED = "commonplace:theme";
export const THEMES = [
  { value: "light", label: "Light", note: "Dark on light, always.", icon: Sun },
  { value: "dark", label: "Dark", note: "Light on dark, always.", icon: Moon },
  { value: "system", label: "System", note: "As this device has it, by day and by night.", icon: Monitor },
];

function apply(theme: string): void {
  const isDark = theme === "dark" || (theme === "system" && matchMedia("(prefers-color-scheme: dark)").matches);
  document.documentElement.classList.toggle("dark", isDark);
}

/** The theme that was chosen in this browser. */
export function theme(): string {
  return localStorage.getItem(KEPT) ?? "system";
}

/** Show a theme from now on, and keep it. */
export function chooseTheme(value: string): void {
  localStorage.setItem(KEPT, value);
  apply(value);
  window.dispatchEvent(new Event(CHANGED));
}

/** Calls back whenever another theme was chosen, here or in another tab; answers how to stop that. */
export function onTheme(callback: () => void): () => void {
  window.addEventListener(CHANGED, callback);
  window.addEventListener("storage", callback);
  return () => {
    window.removeEventListener(CHANGED, callback);
    window.removeEventListener("storage", callback);
  };
}

/** The choice of a theme, as a part of a menu. */
export function ThemeChoice() {
  const chosen = useSyncExternalStore(onTheme, theme, () => "system");
  return (
    <>
      <MenuLabel>Theme</MenuLabel>
      <MenuRadioGroup value={chosen} onValueChange={chooseTheme}>
        {THEMES.map(({ value, label, icon: Icon }) => (
          <MenuRadioItem key={value} value={value} onSelect={(event) => event.preventDefault()}>
            <Icon /> {label}
          </MenuRadioItem>
        ))}
      </MenuRadioGroup>
    </>
  );
}

/** Follows the system's change from day to night, and the choice in another tab. */
export function FollowSystemTheme() {
  useEffect(() => {
    const system = matchMedia("(prefers-color-scheme: dark)");
    const follow = () => apply(theme());
    system.addEventListener("change", follow);
    window.addEventListener("storage", follow);
    return () => {
      system.removeEventListener("change", follow);
      window.removeEventListener("storage", follow);
    };
  }, []);
  return null;
}
