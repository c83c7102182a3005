/** The one way to the server: typed by its OpenAPI document, signed, and renewed once when a token has run out. */

import createClient from "openapi-fetch";
import { connection } from "./connection";
import { credential } from "./credential";
import type { components, paths } from "./schema";

export type Schemas = components["schemas"];

/** What the server refused, in its own sentence. */
export class ApiError extends Error {
  constructor(
    readonly status: number,
    message: string,
    readonly requestId: string | null,
  ) {
    super(message);
    this.name = "ApiError";
  }
}

/** The server does not answer at all. */
export class Offline extends Error {
  constructor() {
    super("The server does not answer");
    this.name = "Offline";
  }
}

async function reach(request: Request): Promise<Response> {
  try {
    const answer = await fetch(request);
    connection.set(true);
    return answer;
  } catch (error) {
    if (request.signal.aborted) throw error;
    connection.set(false);
    throw new Offline();
  }
}

/** Send a request with the credential; a 401 has the token renewed and the request sent once more. */
export async function send(request: Request): Promise<Response> {
  const again = request.clone();
  const answer = await reach(credential.sign(request));
  if (answer.status !== 401 || !(await credential.renew())) return answer;
  return reach(credential.sign(again));
}

export const api = createClient<paths>({ baseUrl: "/api/v1", fetch: send });

type Answer<T> = { data?: T; error?: unknown; response: Response };

/** The answer's body.
 *
 * Throws ApiError for what the server refused, Offline if it does not answer.
 */
export async function body<T>(asked: Promise<Answer<T>>): Promise<T> {
  const { data, error, response } = await asked;
  if (!response.ok)
    throw new ApiError(
      response.status,
      sentence(error, response.status, response.statusText),
      response.headers.get("X-Request-Id"),
    );
  return data as T;
}

/** What the server refused, from the body of its answer. */
export function sentence(error: unknown, status: number, text = ""): string {
  const detail = (error as { detail?: unknown } | undefined)?.detail;
  if (typeof detail === "string") return detail;
  if (Array.isArray(detail)) {
    return detail
      .map(({ loc, msg }: { loc: unknown[]; msg: string }) => `${loc.slice(1).join(".")}: ${msg}`)
      .join("; ");
  }
  return text || `The server answered ${status}`;
}
