/** One REST request. Credentials travel in headers; see `session` and `member` for the two kinds of caller. */
import { link } from "./config";

export class ApiError extends Error {
  constructor(
    readonly status: number,
    /** The `error` field of the body: a name such as "Room Error", or a code. */
    readonly code: string,
    message: string,
  ) {
    super(message);
  }
}

export interface RequestOptions {
  readonly query?: Readonly<Record<string, string | number | undefined>>;
  readonly body?: unknown;
  readonly headers?: Readonly<Record<string, string>>;
}

/** Public, internal, and our own additions. */
export type Api = "api/v1" | "internal-api/v1" | "api/extra/v1";

/** Path and query of an operation, below the base path. */
export function address(api: Api, path: string, query: RequestOptions["query"] = {}): string {
  const text = new URLSearchParams();
  for (const [name, value] of Object.entries(query)) if (value !== undefined) text.set(name, String(value));
  return link(`${api}${path}`) + (text.size ? `?${text}` : "");
}

/** Send it; return the JSON answer. Throws ApiError for every status that is not 2xx, and with status 0 when offline. */
export async function request<T>(method: string, api: Api, path: string, options: RequestOptions = {}): Promise<T> {
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
  throw refusal(answer.status, text);
}

function refusal(status: number, text: string): ApiError {
  try {
    const body = JSON.parse(text) as { error?: string; message?: string; details?: { message: string }[] };
    const message = body.details?.map((detail) => detail.message).join(". ") || body.message;
    return new ApiError(status, body.error ?? "Error", message ?? `The server answered ${status}.`);
  } catch {
    return new ApiError(status, "Error", `The server answered ${status}.`);
  }
}
