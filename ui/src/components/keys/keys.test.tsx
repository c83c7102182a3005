import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { expect, test, vi } from "vitest";
import { ConfirmDialog } from "../confirm-dialog";
import { device } from "../sessions/device";
import { dayOf, endOf, standing } from "./expiry";

const NOW = new Date("2026-05-08T10:00:00Z");

test("a key ends never, after days, or with the end of a day", () => {
  expect(endOf("never", "", NOW)).toBeUndefined();
  expect(endOf("30", "", NOW)).toBe("2026-06-07T10:00:00.000Z");
  const end = new Date(endOf("date", "2026-05-09", NOW) ?? "");
  expect([dayOf(end), end.getHours()]).toEqual(["2026-05-09", 23]);
});

test("a key that was revoked is revoked, expired or not", () => {
  const past = "2026-05-08T09:00:00Z";
  expect(standing({ revoked_at: null, expires_at: null }, NOW)).toBe("good");
  expect(standing({ revoked_at: null, expires_at: past }, NOW)).toBe("expired");
  expect(standing({ revoked_at: past, expires_at: past }, NOW)).toBe("revoked");
});

test.each([
  ["Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0", "Firefox on Linux"],
  ["Mozilla/5.0 (Windows NT 10.0) AppleWebKit/537.36 Chrome/140.0 Safari/537.36 Edg/140.0", "Edge on Windows"],
  ["Mozilla/5.0 (iPhone; CPU iPhone OS 19_0 like Mac OS X) Version/19.0 Mobile Safari/604.1", "Safari on an iPhone"],
  ["Mozilla/5.0 (Linux; Android 16) AppleWebKit/537.36 Chrome/140.0 Mobile Safari/537.36", "Chrome on Android"],
  ["curl/8.5.0", "A program (curl)"],
  ["something of one's own", "something of one's own"],
  [null, "Unknown browser"],
])("%s is called %s", (userAgent, name) => {
  expect(device(userAgent)).toBe(name);
});

test("what cannot be taken back wants its word typed, and Enter is enough then", async () => {
  const [onConfirm, onClose] = [vi.fn(), vi.fn()];
  render(
    <ConfirmDialog title="Remove ann?" action="Remove" word="ann" onConfirm={onConfirm} onClose={onClose}>
      All of it.
    </ConfirmDialog>,
  );
  const field = screen.getByLabelText("Type ann to go on");
  await userEvent.type(field, "a{Enter}");
  expect(onConfirm).not.toHaveBeenCalled();
  await userEvent.type(field, "nn{Enter}");
  expect(onConfirm).toHaveBeenCalledOnce();
  await userEvent.keyboard("{Escape}");
  expect(onClose).toHaveBeenCalledOnce();
});
