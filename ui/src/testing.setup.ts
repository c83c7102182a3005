import { cleanup } from "@testing-library/react";
import { afterEach } from "vitest";

// What jsdom lacks and the widgets ask for.
globalThis.ResizeObserver ??= class {
  observe() {}
  unobserve() {}
  disconnect() {}
};
Element.prototype.scrollIntoView ??= () => {};
Element.prototype.hasPointerCapture ??= () => false;

// Where a page stands: a relative address needs a server's.
const Native = Request;
globalThis.Request = class extends Native {
  constructor(input: RequestInfo | URL, init?: RequestInit) {
    super(typeof input === "string" ? new URL(input, "http://server.test") : input, init);
  }
};

afterEach(cleanup);
