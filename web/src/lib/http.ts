/** One REST request. Credentials travel in headers; see `session` and `member` for the two kinds of caller. */
import { link } from "./config";
import { waitOut } from "./waiting";

/** All windows of the limits that people meet by being many behind one address are this long. */
const LONGEST_WAIT_S = 60;
/** Those who wait together do not come back in the same instant. */
const SPREAD_S = 5;
const PATIENCE_MS = 5 * 60_000;

export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** The `error` field of the body: a name such as "Room Error", or a code. */
    readonly code: string,
    message: string,
    /** Seconds after which it makes sense to ask again, where the server said so. */
    readonly retryAfterS?: number,
  ) {
    super(message);
  }
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
  /** Nobody looks for the answer: when there were too many requests, this one is not made again. */
  readonly quiet?: boolean;
}

/** Public, internal, and our own additions. */
export type Api = "api/v1" | "internal-api/v1" | "api/extra/v1";

/** Path and query of an operation, below the base path. */
export function address(api: Api, path: string, query: RequestOptions["query"] = {}): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) text.set(name, String(value));
  return link(`${api}${path}`) + (text.size ? `?${text}` : "");
}

/**
 * Send it; return the JSON answer. When there were too many requests from this network, that is said, and the request made
 * again when the server's limit allows it. Throws ApiError for every status that is not 2xx, and with status 0 when offline.
 */
export async function request<T>(method: string, api: Api, path: string, options: RequestOptions = {}): Promise<T> {
  const deadline = Date.now() + PATIENCE_MS;
  for (;;) {
    try {
      return await send<T>(method, api, path, options);
    } catch (error) {
      const seconds = error instanceof ApiError && error.status === 429 ? error.retryAfterS : undefined;
      if (seconds === undefined || seconds > LONGEST_WAIT_S || options.quiet || Date.now() > deadline) throw error;
      await waitOut(seconds + 1 + Math.random() * SPREAD_S);
    }
  }
}

async function send<T>(method: string, api: Api, path: string, options: RequestOptions): Promise<T> {
  const headers: Record<string, string> = { ...options.headers };
  if (options.body !== undefined) headers["Content-Type"] = "application/json";
  const init: RequestInit = { method, headers, cache: "no-store", credentials: "omit" };
  if (options.body !== undefined) init.body = JSON.stringify(options.body);
  let answer: Response;
  try {
    answer = await fetch(address(api, path, options.query), init);
  } catch {
    throw new ApiError(0, "Network Error", "The server cannot be reached. Check your connection.");
  }
  const text = await answer.text();
  if (answer.ok) return (text ? JSON.parse(text) : undefined) as T;
  const retryAfter = answer.headers.get("Retry-After");
  throw refusal(answer.status, text, retryAfter !== null && /^\d+$/.test(retryAfter) ? Number(retryAfter) : undefined);
}

function refusal(status: number, text: string, retryAfterS: number | undefined): ApiError {
  try {
    const body = JSON.parse(text) as { error?: string; message?: string; details?: { message: string }[] };
    const message = body.details?.map((detail) => detail.message).join(". ") || body.message;
    return new ApiError(status, body.error ?? "Error", message ?? `The server answered ${status}.`, retryAfterS);
  } catch {
    return new ApiError(status, "Error", `The server answered ${status}.`, retryAfterS);
  }
}
