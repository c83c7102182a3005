import { ChevronRight } from "lucide-react";
import { Section } from "../page-header";

const SOURCES = [
  {
    name: "ChatGPT",
    what: "Settings → Data controls → Export data. The zip comes by mail; drop it here as it is.",
    more: "For its saved memories: Settings → Personalisation → Manage memories. Copy the list into a text file, a memory a line.",
  },
  {
    name: "Claude",
    what: "Settings → Privacy → Export data. The zip comes by mail.",
    more: "For what Claude remembers: Settings → Capabilities → Memory. Save its text as a Markdown file.",
  },
  {
    name: "mem0",
    what: "The JSON of get_all(), or an export of the hosted platform.",
    more: "Dates, categories, agents and sessions come along; mem0's ids are kept in the metadata.",
  },
  {
    name: "mem9",
    what: "A memory file with “memories”, or a session file with “messages”.",
    more: "As mem9 itself takes them: tags, types and sessions come along.",
  },
  {
    name: "OpenMemory, Commonplace",
    what: "The zip of an export, of this server or of another.",
    more: "All of it comes back: versions, categories, apps and states. Whatever is there already can be kept or overwritten.",
  },
  {
    name: "Notes of any kind",
    what: "Markdown, plain text, JSON, JSONL, CSV, or a zip of them.",
    more: "Of Markdown every list item and paragraph becomes a memory, and the heading above it its category.",
  },
];

/** What can be brought in, and where each product hides its export. */
export function Sources() {
  return (
    <Section title="What can be imported">
      <ul className="grid gap-x-8 sm:grid-cols-2">
        {SOURCES.map(({ name, what, more }) => (
          <li key={name} className="border-b py-2.5">
            <details className="group">
              <summary className="flex cursor-pointer list-none gap-1.5 [&::-webkit-details-marker]:hidden">
                <ChevronRight className="mt-0.5 size-4 shrink-0 text-muted-foreground transition-transform group-open:rotate-90" />
                <span>
                  <span className="font-medium">{name}</span>
                  <span className="block text-muted-foreground">{what}</span>
                </span>
              </summary>
              <p className="mt-1 pl-5.5 text-muted-foreground">{more}</p>
            </details>
          </li>
        ))}
      </ul>
    </Section>
  );
}
