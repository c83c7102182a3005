"use client";

import { CircleCheck } from "lucide-react";
import { counted } from "@/format";
import { Button } from "../ui/button";
import { locate, type Problem } from "./json-problems";

type Props = { problems: Problem[]; text: string; refused?: string; onGo: (problem: Problem) => void };

const SHOWN = 8;

/** What is wrong and where; each leads to its place. What the server alone knows comes after a try to save. */
export function ProblemList({ problems, text, refused, onGo }: Props) {
  const more = problems.length - SHOWN;
  const named = refused && /\b(?:openmemory|mem0)(?:\.\w+)+/.exec(refused)?.[0];
  const place = named ? locate(text, named) : null;
  return (
    <div role="status" className="mt-2 min-h-7">
      {problems.length === 0 && !refused && (
        <p className="flex items-center gap-1.5 text-muted-foreground">
          <CircleCheck className="size-4 text-good" /> It fits the schema.
        </p>
      )}
      <ul className="grid gap-0.5">
        {problems.slice(0, SHOWN).map((one) => (
          <li key={`${one.path} ${one.message}`}>
            <button
              type="button"
              className="rounded-sm text-left break-words text-danger underline-offset-4 hover:underline"
              onClick={() => onGo(one)}
            >
              Line {one.line}
              {one.path && <code className="mx-1 font-mono text-[0.8125rem]">{one.path}</code>}
              {one.path ? "" : ": "}
              {one.message}
            </button>
          </li>
        ))}
      </ul>
      {more > 0 && <p className="text-danger">and {counted(more, "more problem")}</p>}
      {refused && (
        <div role="alert" className="flex flex-wrap items-center gap-2 rounded-md bg-danger-soft px-3 py-2 text-danger">
          <p className="min-w-48 flex-1 break-words">{refused}</p>
          {place && (
            <Button size="small" onClick={() => onGo(place)}>
              Go to line {place.line}
            </Button>
          )}
        </div>
      )}
    </div>
  );
}
