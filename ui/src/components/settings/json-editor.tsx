"use client";

/** The editor itself: CodeMirror. Loaded with the page that shows it and with no other. */

import { defaultKeymap, history, historyKeymap } from "@codemirror/commands";
import { json } from "@codemirror/lang-json";
import {
  bracketMatching,
  foldGutter,
  foldKeymap,
  HighlightStyle,
  indentOnInput,
  syntaxHighlighting,
} from "@codemirror/language";
import { type Diagnostic, linter, lintGutter, lintKeymap } from "@codemirror/lint";
import { highlightSelectionMatches, searchKeymap } from "@codemirror/search";
import { EditorState } from "@codemirror/state";
import {
  drawSelection,
  EditorView,
  highlightActiveLine,
  highlightActiveLineGutter,
  keymap,
  lineNumbers,
} from "@codemirror/view";
import { tags } from "@lezer/highlight";
import { useEffect, useRef } from "react";
import { type Problem, problems } from "./json-problems";

const COLOURS = HighlightStyle.define([
  { tag: tags.propertyName, color: "var(--accent)" },
  { tag: tags.string, color: "var(--good)" },
  { tag: [tags.number, tags.bool, tags.null], color: "var(--warning)" },
]);

const LOOKS = EditorView.theme({
  "&": { backgroundColor: "var(--raised)", color: "var(--foreground)", fontSize: "0.8125rem" },
  "&.cm-focused": { outline: "none" },
  ".cm-scroller": { fontFamily: "var(--font-mono, ui-monospace, monospace)", lineHeight: "1.55" },
  ".cm-content": { caretColor: "var(--foreground)" },
  ".cm-cursor": { borderLeftColor: "var(--foreground)" },
  ".cm-gutters": {
    backgroundColor: "var(--raised)",
    color: "var(--muted-foreground)",
    borderRight: "1px solid var(--border)",
  },
  ".cm-activeLine, .cm-activeLineGutter": { backgroundColor: "color-mix(in oklab, var(--muted) 55%, transparent)" },
  "&.cm-focused > .cm-scroller > .cm-selectionLayer .cm-selectionBackground, .cm-selectionBackground": {
    backgroundColor: "var(--accent-soft)",
  },
  ".cm-matchingBracket, &.cm-focused .cm-matchingBracket": { backgroundColor: "var(--accent-soft)", outline: "none" },
  ".cm-tooltip, .cm-panels": {
    backgroundColor: "var(--raised)",
    color: "var(--foreground)",
    borderColor: "var(--border)",
  },
  ".cm-panel input, .cm-textfield": {
    backgroundColor: "var(--background)",
    borderColor: "var(--input)",
    color: "var(--foreground)",
  },
  ".cm-button": {
    backgroundColor: "var(--muted)",
    backgroundImage: "none",
    borderColor: "var(--border)",
    color: "var(--foreground)",
  },
  ".cm-foldPlaceholder": {
    backgroundColor: "var(--muted)",
    borderColor: "var(--border)",
    color: "var(--muted-foreground)",
  },
});

type Props = {
  text: string;
  schema: unknown;
  /** Where to put the cursor; asked for again by a new object. */
  place: { from: number } | null;
  onChange: (text: string) => void;
  onProblems: (problems: Problem[]) => void;
};

/** A text of JSON that is checked as one types. Escape, then Tab, leads out of it. */
export default function JsonEditor({ text, schema, place, onChange, onProblems }: Props) {
  const parent = useRef<HTMLDivElement>(null);
  const view = useRef<EditorView | null>(null);
  const told = useRef({ onChange, onProblems, text });
  told.current = { onChange, onProblems, text };

  useEffect(() => {
    if (!parent.current) return;
    const check = linter((editor): Diagnostic[] => {
      const found = problems(editor.state.doc.toString(), schema);
      told.current.onProblems(found);
      return found.map(({ from, to, path, message }) => ({
        from,
        to: Math.max(from, to),
        severity: "error",
        message: path ? `${path}: ${message}` : message,
      }));
    });
    const editor = new EditorView({
      parent: parent.current,
      state: EditorState.create({
        doc: told.current.text,
        extensions: [
          lineNumbers(),
          foldGutter(),
          history(),
          drawSelection(),
          indentOnInput(),
          bracketMatching(),
          highlightActiveLine(),
          highlightActiveLineGutter(),
          highlightSelectionMatches(),
          json(),
          syntaxHighlighting(COLOURS),
          LOOKS,
          check,
          lintGutter(),
          EditorView.lineWrapping,
          EditorView.contentAttributes.of({ "aria-label": "The configuration as JSON", tabindex: "0" }),
          keymap.of([...defaultKeymap, ...historyKeymap, ...searchKeymap, ...foldKeymap, ...lintKeymap]),
          EditorView.updateListener.of((update) => {
            if (update.docChanged) told.current.onChange(update.state.doc.toString());
          }),
        ],
      }),
    });
    view.current = editor;
    return () => editor.destroy();
  }, [schema]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || editor.state.doc.toString() === text) return;
    editor.dispatch({ changes: { from: 0, to: editor.state.doc.length, insert: text } });
  }, [text]);

  useEffect(() => {
    const editor = view.current;
    if (!editor || !place) return;
    editor.dispatch({ selection: { anchor: Math.min(place.from, editor.state.doc.length) }, scrollIntoView: true });
    editor.focus();
  }, [place]);

  return (
    <div
      ref={parent}
      className="overflow-hidden rounded-md border border-input focus-within:outline-2 focus-within:outline-offset-2 focus-within:outline-(--ring) [&_.cm-editor]:h-[min(34rem,65vh)]"
    />
  );
}
