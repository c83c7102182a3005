import { render } from "@testing-library/react";
import { expect, test } from "vitest";
import { type Counts, type Finding, isExamining, waiting } from "@/api/review";
import { merged } from "./finding-card";
import { Marked } from "./sides";

const STEPS = [
  { op: "equal", text: "Ann lives in " },
  { op: "delete", text: "Paris" },
  { op: "insert", text: "Berlin" },
] as const;

test.each([
  ["one", "Ann lives in Paris", "Paris"],
  ["other", "Ann lives in Berlin", "Berlin"],
] as const)("a side says its own text, and marks what the other does not say: %s", (side, whole, marked) => {
  const { container } = render(<Marked steps={[...STEPS]} side={side} text={whole} />);
  expect(container.textContent).toBe(whole);
  expect(container.querySelector("mark")?.textContent).toBe(marked);
});

test("two equal texts are shown whole, with nothing marked", () => {
  const { container } = render(<Marked steps={[]} side="one" text="the same" />);
  expect(container.textContent).toBe("the same");
  expect(container.querySelector("mark")).toBeNull();
});

test("a merge keeps the memory whose own text was taken, else the newer one", () => {
  const finding = { memory: { id: "a", content: "old" }, other: { id: "b", content: "new" } } as Finding;
  expect(merged(finding, "old")).toMatchObject({ survivor: "a", text: "old" });
  expect(merged(finding, "new")).toMatchObject({ survivor: "b", text: "new" });
  expect(merged(finding, "both")).toMatchObject({ survivor: "b", text: "both" });
});

test("what waits is of every kind, and the examination is over when all are looked at", () => {
  const counts: Counts = {
    open: { duplicate: 1, contradiction: 2, secret: 3 },
    failed: 4,
    examined: 9,
    memories: 10,
    asks_llm: false,
  };
  expect(waiting(counts)).toBe(10);
  expect(isExamining(counts)).toBe(true);
  expect(isExamining({ ...counts, examined: 10 })).toBe(false);
  expect(isExamining(undefined)).toBe(false);
});
