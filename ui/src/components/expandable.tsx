"use client";

import Link from "next/link";
import { useLayoutEffect, useRef, useState } from "react";
import { cn } from "@/cn";
import { Button } from "./ui/button";

const CLAMPS = { 2: "line-clamp-2", 3: "line-clamp-3", 6: "line-clamp-6", 12: "line-clamp-12" };

/** A text of any length: so many lines of it, and a button for the rest if there is more; a link, with `href`. */
export function Expandable({
  text,
  lines = 3,
  href,
  className,
}: {
  text: string;
  lines?: keyof typeof CLAMPS;
  href?: string;
  className?: string;
}) {
  const shown = useRef<HTMLParagraphElement>(null);
  const [isCut, setCut] = useState(false);
  const [isOpen, setOpen] = useState(false);
  // biome-ignore lint/correctness/useExhaustiveDependencies: another text is as long as it is
  useLayoutEffect(() => {
    const element = shown.current;
    if (!element || isOpen) return;
    const measure = () => setCut(element.scrollHeight > element.clientHeight + 1);
    measure();
    const observer = new ResizeObserver(measure);
    observer.observe(element);
    return () => observer.disconnect();
  }, [text, isOpen]);
  return (
    <>
      <p ref={shown} className={cn("break-words", isOpen ? "whitespace-pre-line" : CLAMPS[lines], className)}>
        {href ? (
          <Link href={href} prefetch={false} className="rounded-sm hover:text-accent">
            {text}
          </Link>
        ) : (
          text
        )}
      </p>
      {(isCut || isOpen) && (
        <Button
          variant="link"
          size="inline"
          className="text-[0.8125rem]"
          aria-expanded={isOpen}
          onClick={(event) => {
            event.stopPropagation();
            setOpen(!isOpen);
          }}
        >
          {isOpen ? "Show less" : "Show all"}
        </Button>
      )}
    </>
  );
}
