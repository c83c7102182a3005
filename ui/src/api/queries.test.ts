import { QueryClient, QueryObserver } from "@tanstack/react-query";
import { expect, test } from "vitest";
import { Queries } from "./queries";

/** What a list says that is asked for before a change and told of it while the server still answers the first time. */
async function afterTheChange(queries: QueryClient): Promise<unknown> {
  const answers: ((said: string) => void)[] = [];
  const queryFn = () => new Promise<string>((done) => answers.push(done));
  const list = new QueryObserver(queries, { queryKey: ["list", "decided"], queryFn });
  const leave = list.subscribe(() => {});
  const told = queries.invalidateQueries({ queryKey: ["list"] });
  await new Promise((done) => setTimeout(done));
  answers[0]?.("before");
  answers[1]?.("after");
  await told;
  await expect.poll(() => list.getCurrentResult().isSuccess).toBe(true);
  leave();
  return list.getCurrentResult().data;
}

test("a list that is being asked for when something changes says what is so after the change", async () => {
  expect(await afterTheChange(new Queries())).toBe("after");
});

test("the library alone would say what was so before: when this fails, `Queries` has no reason any more", async () => {
  expect(await afterTheChange(new QueryClient())).toBe("before");
});

test("what nobody looks at is not asked for", async () => {
  const queries = new Queries();
  let asked = 0;
  queries.setQueryData(["list"], "known");
  queries.setQueryDefaults(["list"], { queryFn: async () => ++asked });
  await queries.invalidateQueries({ queryKey: ["list"] });
  expect(asked).toBe(0);
  expect(queries.getQueryState(["list"])?.isInvalidated).toBe(true);
});
