import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ApiError, Offline } from "@/api/client";
import { filters, type Wanted } from "@/api/memories";
import { isNarrowed } from "./memories/address";
import { Editor } from "./memories/editor";
import { Facet } from "./memories/facet";
import { Diff } from "./memory/history";
import { Pager } from "./pager";
import { useShortcuts } from "./shell/shortcuts";
import { Failure } from "./states";
import { Time } from "./time";

test("a pager says what is shown and knows its ends", async () => {
  const onPage = vi.fn();
  render(<Pager page={3} size={20} total={1204} onPage={onPage} />);
  expect(screen.getByRole("status").textContent).toBe("41 to 60 of 1,204");
  await userEvent.click(screen.getByRole("button", { name: "Next page" }));
  expect(onPage).toHaveBeenCalledWith(4);
});

test("the last page has no next one", () => {
  render(<Pager page={2} size={20} total={21} onPage={() => {}} />);
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Next page" }).disabled).toBe(true);
  expect(screen.getByRole("status").textContent).toBe("21 to 21 of 21");
});

test("an editor saves what changed, by button and by keys, and leaves by Escape", async () => {
  const [onSave, onCancel] = [vi.fn(), vi.fn()];
  render(<Editor text="old" onSave={onSave} onCancel={onCancel} />);
  const field = screen.getByRole("textbox");
  expect(document.activeElement).toBe(field);
  expect(screen.getByRole<HTMLButtonElement>("button", { name: "Save" }).disabled).toBe(true);
  await userEvent.type(field, " and new");
  await userEvent.keyboard("{Control>}{Enter}{/Control}");
  expect(onSave).toHaveBeenCalledWith("old and new");
  await userEvent.keyboard("{Escape}");
  expect(onCancel).toHaveBeenCalledOnce();
});

test("a facet keeps what is chosen in its list, even when the server lists it no more", async () => {
  const onChange = vi.fn();
  render(<Facet label="App" choices={["cursor", "notes"]} chosen={["gone"]} onChange={onChange} />);
  await userEvent.click(screen.getByRole("button", { name: /App/ }));
  expect(screen.getByRole("checkbox", { name: "gone" }).getAttribute("aria-checked")).toBe("true");
  await userEvent.click(screen.getByRole("checkbox", { name: "notes" }));
  expect(onChange).toHaveBeenCalledWith(["gone", "notes"]);
});

test("a diff marks what went and what came, so that a screen reader says it too", () => {
  const { container } = render(
    <Diff
      steps={[
        { op: "equal", text: "the " },
        { op: "delete", text: "blue" },
        { op: "insert", text: "green" },
        { op: "equal", text: " door" },
      ]}
    />,
  );
  expect(container.querySelector("del")?.textContent).toBe("blue");
  expect(container.querySelector("ins")?.textContent).toBe("green");
});

test.each([
  [new Offline(), "The server does not answer"],
  [new ApiError(403, "This needs the scope 'read'", null), "You may not see this"],
  [new ApiError(404, "Memory not found", null), "Memory not found"],
  [new ApiError(500, "Internal Server Error", "r-77"), "This could not be loaded"],
])("a failure is told as what it is: %s", (error, title) => {
  render(<Failure error={error} retry={() => {}} />);
  expect(screen.getByText(title)).toBeTruthy();
});

test("a failure of the server names the request, to look for in its log", () => {
  render(<Failure error={new ApiError(500, "Internal Server Error", "r-77")} />);
  expect(screen.getByText("r-77")).toBeTruthy();
});

test("a time is relative, with the exact one on hover", () => {
  render(<Time at={Date.now() / 1000 - 7200} />);
  const shown = screen.getByText("2 hours ago");
  expect(shown.getAttribute("title")).toMatch(/\d{4}/);
  expect(shown.getAttribute("datetime")).toMatch(/Z$/);
});

function Keys({ onX }: { onX: () => void }) {
  useShortcuts({ x: onX });
  return <input aria-label="typing" />;
}

test("keys mean something, but not while somebody types or holds another key", async () => {
  const onX = vi.fn();
  render(<Keys onX={onX} />);
  await userEvent.keyboard("x");
  expect(onX).toHaveBeenCalledTimes(1);
  await userEvent.keyboard("{Control>}x{/Control}");
  await userEvent.type(screen.getByLabelText("typing"), "x");
  expect(onX).toHaveBeenCalledTimes(1);
});

const ALL: Wanted = {
  q: "",
  mode: "hybrid",
  apps: [],
  categories: [],
  tags: [],
  states: [],
  type: "",
  agent: "",
  session: "",
  from: "",
  to: "",
  sort: "created_at",
  dir: "desc",
  page: 1,
  size: 50,
};

test("a relevance search is narrowed by the same filters, in the search's grammar", () => {
  expect(filters(ALL)).toEqual({});
  const found = filters({
    ...ALL,
    apps: ["a"],
    categories: ["b"],
    tags: ["t"],
    type: "pinned",
    session: "s1",
    from: "2026-05-08",
  });
  expect(found).toMatchObject({ app: ["a"], categories: ["b"], tags: ["t"], memory_type: "pinned", run_id: "s1" });
  expect(found.created_at).toEqual({ gte: new Date("2026-05-08T00:00:00").toISOString() });
  expect(isNarrowed(ALL)).toBe(false);
  expect(isNarrowed({ ...ALL, states: ["paused"] })).toBe(true);
});
