/** Who asks: pass `asUser` (the signed-in user), a member's `request`, or `request` itself (nobody). */
import type { Api, RequestOptions } from "../lib/http";

export type Caller = <T>(method: string, api: Api, path: string, options?: RequestOptions) => Promise<T>;

/** For what is asked in the background. */
export const quietly = (caller: Caller): Caller => (method, api, path, options = {}) => caller(method, api, path, { ...options, quiet: true });

export const part = encodeURIComponent;

export interface Listing<T> {
  readonly items: readonly T[];
  /** Token of the next page, absent on the last one. */
  readonly next: string | undefined;
}

export interface Pagination {
  readonly pagination: { readonly nextPageToken?: string };
}

/** Query values of a list; empty text means: no filter. */
export type Query = Readonly<Record<string, string | number | undefined>>;

/** Turn `{rooms: [...], pagination}` into a Listing. */
export async function list<T>(caller: Caller, name: string, path: string, query: Query): Promise<Listing<T>> {
  const answer = await caller<Record<string, T[]> & Pagination>("GET", "api/v1", path, { query });
  return { items: answer[name] ?? [], next: answer.pagination.nextPageToken };
}

/** Filter values that find `text` anywhere in a name, whatever its case. */
export const containing = (field: string, text: string): Query =>
  text ? { [field]: text, [`${field}MatchMode`]: "partial", [`${field}CaseInsensitive`]: "true" } : {};
