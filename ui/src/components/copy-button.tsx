"use client";

import { Check, Copy } from "lucide-react";
import { useState } from "react";
import { notify } from "@/notify";
import { Button } from "./ui/button";

/** Copies `text`; `label` says what, for who cannot see the icon. */
export function CopyButton({ text, label }: { text: string; label: string }) {
  const [isCopied, setCopied] = useState(false);
  async function copy() {
    try {
      await navigator.clipboard.writeText(text);
    } catch {
      notify.failed("The browser does not let this page copy. Select the text and copy it yourself.");
      return;
    }
    setCopied(true);
    setTimeout(() => setCopied(false), 1500);
  }
  return (
    <Button variant="ghost" size="icon-small" aria-label={isCopied ? "Copied" : label} title={label} onClick={copy}>
      {isCopied ? <Check className="text-good" /> : <Copy />}
    </Button>
  );
}
