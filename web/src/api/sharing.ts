/** Links to one recording that expire and can be revoked: our own addition to the API. All throw ApiError. */
import { part, type Caller } from "./caller";

export interface ShareLink {
  readonly linkId: string;
  readonly privateAccess: boolean;
  readonly creationDate: number;
  readonly expiresAt?: number;
  readonly expired: boolean;
}

const EXTRA = "api/extra/v1";

const path = (recordingId: string, linkId = ""): string => `/recordings/${part(recordingId)}/links${linkId && `/${part(linkId)}`}`;

/** `url` is told here and never again. */
export const createLink = (
  caller: Caller,
  recordingId: string,
  body: { privateAccess: boolean; expiresAt?: number },
): Promise<ShareLink & { url: string }> => caller("POST", EXTRA, path(recordingId), { body });

export async function links(caller: Caller, recordingId: string): Promise<readonly ShareLink[]> {
  return (await caller<{ links: ShareLink[] }>("GET", EXTRA, path(recordingId), { query: { maxItems: 100 } })).links;
}

export const revokeLink = (caller: Caller, recordingId: string, linkId: string): Promise<void> =>
  caller("DELETE", EXTRA, path(recordingId, linkId));
