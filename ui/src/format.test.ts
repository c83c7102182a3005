import { expect, test } from "vitest";
import { brief, counted, moment, relative } from "./format";

test.each([
  [1_700_000_000, "2023-11-14T22:13:20.000Z"],
  ["2026-05-08T10:00:00", "2026-05-08T10:00:00.000Z"], // without a zone it is UTC
  ["2026-05-08T10:00:00Z", "2026-05-08T10:00:00.000Z"],
  ["2026-05-08T10:00:00.123456+02:00", "2026-05-08T08:00:00.123Z"],
])("the moment %s", (value, iso) => {
  expect(moment(value).toISOString()).toBe(iso);
});

const NOW = new Date("2026-05-08T12:00:00Z");

test.each([
  ["2026-05-08T11:59:30Z", "just now"],
  ["2026-05-08T11:57:00Z", "3 minutes ago"],
  ["2026-05-07T11:00:00Z", "yesterday"],
  ["2026-05-22T12:00:00Z", "in 2 weeks"],
  ["2024-01-01T00:00:00Z", "2 years ago"],
])("%s is %s", (when, words) => {
  expect(relative(new Date(when), NOW)).toBe(words);
});

test("numbers are grouped and their nouns agree", () => {
  expect(counted(1, "memory", "memories")).toBe("1 memory");
  expect(counted(1204, "memory", "memories")).toBe("1,204 memories");
  expect(counted(0, "app")).toBe("0 apps");
});

test("a brief text is one line and says that it was cut", () => {
  expect(brief("a\n\n b")).toBe("a b");
  expect(brief("a long text", 6)).toBe("a lon…");
});
