"use client";

import { useSyncExternalStore } from "react";
import { chooseTheme, onTheme, THEMES, theme } from "../shell/theme";

/** The choice of a theme, as three cards. */
export function ThemeCards() {
  const chosen = useSyncExternalStore(onTheme, theme, () => "system");
  return (
    <fieldset className="grid max-w-xl gap-3 sm:grid-cols-3">
      <legend className="mb-2 font-medium">Theme</legend>
      {THEMES.map(({ value, label, note, icon: Icon }) => (
        <label
          key={value}
          className="flex cursor-pointer gap-3 rounded-lg border bg-raised p-3 has-checked:border-accent has-focus-visible:outline-2"
        >
          <input
            type="radio"
            name="theme"
            className="sr-only"
            value={value}
            checked={chosen === value}
            onChange={() => chooseTheme(value)}
          />
          <Icon className="mt-0.5 size-4 shrink-0" />
          <span>
            <span className="block font-medium">{label}</span>
            <span className="text-muted-foreground">{note}</span>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
