import { afterEach, beforeEach, expect, test, vi } from "vitest";
import { ApiError, api, body, Offline } from "./client";
import { connection } from "./connection";
import { credential, ended } from "./credential";

const asked = vi.fn<typeof fetch>();

function json(status: number, value: unknown): Response {
  return new Response(JSON.stringify(value), {
    status,
    headers: { "Content-Type": "application/json", "X-Request-Id": "r1" },
  });
}

function sent(index: number): Request {
  return asked.mock.calls[index]?.[0] as Request;
}

const NEW = { access_token: "new", refresh_token: null, expires_in: 900, user: {} };

beforeEach(() => {
  vi.stubGlobal("fetch", asked);
  credential.hold({ kind: "login", token: "old" });
});
afterEach(() => {
  vi.unstubAllGlobals();
  asked.mockReset();
  connection.set(true);
  ended.set(false);
});

test("a token that has run out is renewed once and the request sent again, with its body", async () => {
  asked
    .mockResolvedValueOnce(json(401, {}))
    .mockResolvedValueOnce(json(200, NEW))
    .mockResolvedValueOnce(json(200, { message: "ok" }));
  await body(api.DELETE("/memories", { body: { memory_ids: ["a"] } }));
  expect(asked).toHaveBeenCalledTimes(3);
  expect(sent(0).headers.get("Authorization")).toBe("Bearer old");
  expect(sent(2).headers.get("Authorization")).toBe("Bearer new");
  expect(await sent(2).json()).toEqual({ memory_ids: ["a"] });
});

test("requests that are refused at the same time share one renewal", async () => {
  asked.mockImplementation(async (input) => {
    if (typeof input === "string") return json(200, NEW);
    return (input as Request).headers.get("Authorization") === "Bearer new" ? json(200, {}) : json(401, {});
  });
  await Promise.all([body(api.GET("/index")), body(api.GET("/auth/me")), body(api.GET("/index"))]);
  expect(asked.mock.calls.filter(([input]) => typeof input === "string")).toHaveLength(1);
});

test("a login that cannot be renewed has ended", async () => {
  asked.mockImplementation(async () => json(401, { detail: "Invalid" }));
  await expect(body(api.GET("/index"))).rejects.toThrow("Invalid");
  expect(ended.get()).toBe(true);
  expect(asked).toHaveBeenCalledTimes(2);
});

test("a server that cannot be reached is offline, not an error of its own", async () => {
  asked.mockRejectedValue(new TypeError("Failed to fetch"));
  await expect(body(api.GET("/index"))).rejects.toBeInstanceOf(Offline);
  expect(connection.get()).toBe(false);
});

test("what the server refuses is said in its own words", async () => {
  asked.mockImplementation(async () => json(403, { detail: "App cursor is paused." }));
  const error = await body(api.GET("/index")).catch((it: unknown) => it);
  expect(error).toBeInstanceOf(ApiError);
  expect(error).toMatchObject({ status: 403, message: "App cursor is paused.", requestId: "r1" });
  asked.mockImplementation(async () =>
    json(422, { detail: [{ type: "x", loc: ["body", "text"], msg: "too long", input: "" }] }),
  );
  await expect(body(api.GET("/index"))).rejects.toThrow("text: too long");
});
