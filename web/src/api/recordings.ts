/** Recordings. All throw ApiError. */
import { list, part, type Caller, type Listing, type Query } from "./caller";
import { address } from "../lib/http";
import type { Recording } from "../lib/types";

const path = (recordingId: string, tail = ""): string => `/recordings/${part(recordingId)}${tail}`;

export const listRecordings = (caller: Caller, query: Query): Promise<Listing<Recording>> =>
  list(caller, "recordings", "/recordings", query);

export const startRecording = (caller: Caller, roomId: string): Promise<Recording> =>
  caller("POST", "api/v1", "/recordings", { body: { roomId } });

export const stopRecording = (caller: Caller, recordingId: string): Promise<Recording> =>
  caller("POST", "api/v1", path(recordingId, "/stop"));

export const getRecording = (caller: Caller, recordingId: string, recordingSecret?: string): Promise<Recording> =>
  caller("GET", "api/v1", path(recordingId), { query: { recordingSecret } });

export const deleteRecording = (caller: Caller, recordingId: string): Promise<void> =>
  caller("DELETE", "api/v1", path(recordingId));

/** Address of the player page for anyone. 403: public links are off. */
export async function recordingUrl(caller: Caller, recordingId: string): Promise<string> {
  return (await caller<{ url: string }>("GET", "api/v1", path(recordingId, "/url"))).url;
}

export const mediaPath = (recordingId: string): string => path(recordingId, "/media");

/** Address of a ZIP with these recordings; `credential` as query, because a download cannot set headers. */
export const zipAddress = (recordingIds: readonly string[], credential: Record<string, string>): string =>
  address("api/v1", "/recordings/download", { recordingIds: recordingIds.join(","), ...credential });
