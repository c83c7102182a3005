import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState } from "react";
import { expect, test } from "vitest";
import { growth, reads } from "../days/series";
import { read } from "../memory/details-dialog";
import { type Names, NamesField, taken } from "./names-field";

function Held({ begin }: { begin: string[] }) {
  const [value, setValue] = useState<Names>({ names: begin, text: "" });
  return (
    <>
      <NamesField label="Tags" value={value} onChange={setValue} known={["red", "green"]} />
      <output>{taken(value).join("|")}</output>
    </>
  );
}

test("a name is taken by Enter, once, and counts while it is still being typed", async () => {
  render(<Held begin={["red"]} />);
  const field = screen.getByRole("combobox", { name: "Tags" });
  await userEvent.type(field, " a, b {Enter}red{Enter}gr");
  expect(screen.getByRole("status").textContent).toBe("red|a, b|gr");
  await userEvent.clear(field);
  await userEvent.click(screen.getByRole("button", { name: "Take off red" }));
  await userEvent.type(field, "{Backspace}");
  expect(screen.getByRole("status").textContent).toBe("");
});

test("only names that are not chosen already are offered", () => {
  const { container } = render(<Held begin={["red"]} />);
  expect([...container.querySelectorAll("option")].map(({ value }) => value)).toEqual(["green"]);
});

const DAYS = [
  { date: "2026-05-06", created: 4, written: 5, reads: 0, shown: 0 },
  { date: "2026-05-07", created: 0, written: 1, reads: 2, shown: 9 },
  { date: "2026-05-08", created: 3, written: 3, reads: 1, shown: 1 },
];

test("growth counts back from what there is", () => {
  const { points, total } = growth(DAYS, 1204);
  expect(points.map(({ value }) => value)).toEqual([1201, 1201, 1204]);
  expect(points.map(({ date }) => date)).toEqual(DAYS.map(({ date }) => date));
  expect(total).toBe("1,204 memories");
  expect(reads(DAYS)).toMatchObject({ total: "3 reads", isLevel: false });
});

test.each([
  ['{"a": [1]}', { a: [1] }],
  ["[1]", null],
  ["null", null],
  ["{", null],
])("the metadata %s", (text, value) => {
  expect(read(text)).toEqual(value);
});
