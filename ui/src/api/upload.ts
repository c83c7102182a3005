/** Files on their way to the server. `fetch` does not say how much of a body is sent, so this is the other one that asks. */

import { ApiError, Offline, sentence } from "./client";
import { connection } from "./connection";
import { credential } from "./credential";

export type Sending = { signal?: AbortSignal; onSent?: (share: number) => void };

type Answered = { status: number; text: string; requestId: string | null };

/** Send a form; `onSent` hears how much of it has left, from 0 to 1.
 *
 * Throws ApiError for what the server refused, Offline if it does not answer, AbortError once `signal` is aborted.
 */
export async function upload<T>(path: string, form: FormData, sending: Sending = {}): Promise<T> {
  let answer = await post(path, form, sending);
  if (answer.status === 401 && (await credential.renew())) answer = await post(path, form, sending);
  const found: unknown = parsed(answer.text);
  if (answer.status >= 200 && answer.status < 300) return found as T;
  throw new ApiError(answer.status, sentence(found, answer.status), answer.requestId);
}

function parsed(text: string): unknown {
  try {
    return JSON.parse(text);
  } catch {
    return undefined;
  }
}

function post(path: string, form: FormData, { signal, onSent }: Sending): Promise<Answered> {
  return new Promise((done, fail) => {
    const request = new XMLHttpRequest();
    const stop = () => request.abort();
    request.open("POST", `/api/v1${path}`);
    for (const [name, value] of credential.sign(new Request(location.href)).headers)
      request.setRequestHeader(name, value);
    request.upload.onprogress = (event) => event.lengthComputable && onSent?.(event.loaded / event.total);
    request.onload = () => {
      connection.set(true);
      done({
        status: request.status,
        text: request.responseText,
        requestId: request.getResponseHeader("X-Request-Id"),
      });
    };
    request.onerror = () => {
      connection.set(false);
      fail(new Offline());
    };
    request.onabort = () => fail(new DOMException("The upload was stopped", "AbortError"));
    request.onloadend = () => signal?.removeEventListener("abort", stop);
    signal?.addEventListener("abort", stop);
    request.send(form);
  });
}
