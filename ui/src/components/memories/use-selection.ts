"use client";

import { useCallback, useState } from "react";

/** The memories that are selected, over pages: what is selected on one stays so on the next. */
export function useSelection() {
  const [selected, setSelected] = useState<ReadonlySet<string>>(new Set());
  const toggle = useCallback((rows: { id: string }[], isOn: boolean) => {
    setSelected((before) => {
      const after = new Set(before);
      for (const { id } of rows) {
        if (isOn) after.add(id);
        else after.delete(id);
      }
      return after;
    });
  }, []);
  const choose = useCallback((ids: string[]) => setSelected(new Set(ids)), []);
  const clear = useCallback(() => setSelected(new Set()), []);
  return { selected, toggle, choose, clear };
}
