/** The operations the pages use, for any caller: pass `asUser` or a member's `request`. */
import type { Api, RequestOptions } from "./http";
import type { Recording, Room } from "./types";

export type Caller = <T>(method: string, api: Api, path: string, options?: RequestOptions) => Promise<T>;

const part = encodeURIComponent;

export interface Listing<T> {
  readonly items: readonly T[];
  /** Token of the next page, absent on the last one. */
  readonly next: string | undefined;
}

interface Pagination {
  readonly pagination: { readonly nextPageToken?: string };
}

export async function listRooms(caller: Caller, nextPageToken?: string): Promise<Listing<Room>> {
  const query = { maxItems: 50, nextPageToken };
  const answer = await caller<{ rooms: Room[] } & Pagination>("GET", "api/v1", "/rooms", { query });
  return { items: answer.rooms, next: answer.pagination.nextPageToken };
}

export const createRoom = (caller: Caller, roomName: string): Promise<Room> =>
  caller("POST", "api/v1", "/rooms", { body: { roomName } });

export const getRoom = (caller: Caller, roomId: string): Promise<Room> =>
  caller("GET", "api/v1", `/rooms/${part(roomId)}`, { query: { extraFields: "config" } });

/** Delete; what is going on in the room and its recordings are kept unless `force`. */
export const deleteRoom = (caller: Caller, roomId: string, force: boolean): Promise<void> =>
  caller("DELETE", "api/v1", `/rooms/${part(roomId)}`, {
    query: force ? { withMeeting: "force", withRecordings: "force" } : {},
  });

export async function listRecordings(
  caller: Caller,
  query: { roomId?: string; status?: string; nextPageToken?: string; maxItems?: number },
): Promise<Listing<Recording>> {
  const answer = await caller<{ recordings: Recording[] } & Pagination>("GET", "api/v1", "/recordings", { query });
  return { items: answer.recordings, next: answer.pagination.nextPageToken };
}

export const startRecording = (caller: Caller, roomId: string): Promise<Recording> =>
  caller("POST", "api/v1", "/recordings", { body: { roomId } });

export const stopRecording = (caller: Caller, recordingId: string): Promise<Recording> =>
  caller("POST", "api/v1", `/recordings/${part(recordingId)}/stop`);

export const getRecording = (caller: Caller, recordingId: string, recordingSecret?: string): Promise<Recording> =>
  caller("GET", "api/v1", `/recordings/${part(recordingId)}`, { query: { recordingSecret } });

export const deleteRecording = (caller: Caller, recordingId: string): Promise<void> =>
  caller("DELETE", "api/v1", `/recordings/${part(recordingId)}`);

/** Shareable address of the player page; throws ApiError 403 where public links are disabled. */
export async function recordingUrl(caller: Caller, recordingId: string): Promise<string> {
  return (await caller<{ url: string }>("GET", "api/v1", `/recordings/${part(recordingId)}/url`)).url;
}

export const mediaPath = (recordingId: string): string => `/recordings/${part(recordingId)}/media`;
