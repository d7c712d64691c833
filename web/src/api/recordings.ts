/** Recordings. All throw ApiError. */
import { list, part, type Caller, type Listing, type Query } from "./caller";
import { address } from "../lib/http";
import type { Layout } from "../lib/layouts";
import type { KnownRecording, Recording } from "../lib/types";

const path = (recordingId: string, tail = ""): string => `/recordings/${part(recordingId)}${tail}`;

export const listRecordings = (caller: Caller, query: Query): Promise<Listing<Recording>> =>
  list(caller, "recordings", "/recordings", query);

/** What is to be otherwise than the room's configuration says. */
export interface StartOptions {
  readonly layout?: Layout;
  readonly audioOnly?: boolean;
}

export const startRecording = (caller: Caller, roomId: string, { layout, audioOnly }: StartOptions): Promise<Recording> => {
  const body = { roomId, ...(layout && { config: { layout } }) };
  return audioOnly
    ? caller("POST", "api/extra/v1", "/recordings", { body: { ...body, audioOnly } })
    : caller("POST", "api/v1", "/recordings", { body });
};

/** Arrange the picture of one that runs differently. */
export const setLayout = (caller: Caller, recordingId: string, layout: Layout): Promise<KnownRecording> =>
  caller("PUT", "api/extra/v1", path(recordingId, "/layout"), { body: { layout } });

export const stopRecording = (caller: Caller, recordingId: string): Promise<Recording> =>
  caller("POST", "api/v1", path(recordingId, "/stop"));

export const getRecording = (caller: Caller, recordingId: string, recordingSecret?: string): Promise<Recording> =>
  caller("GET", "api/v1", path(recordingId), { query: { recordingSecret } });

/** With what only our own recorder knows. */
export const inspectRecording = (caller: Caller, recordingId: string): Promise<KnownRecording> =>
  caller("GET", "api/extra/v1", path(recordingId));

/** Pause, or go on. Answers when the recorder has. */
export const setPaused = (caller: Caller, recordingId: string, paused: boolean): Promise<KnownRecording> =>
  caller("POST", "api/extra/v1", path(recordingId, paused ? "/pause" : "/resume"));

export const deleteRecording = (caller: Caller, recordingId: string): Promise<void> =>
  caller("DELETE", "api/v1", path(recordingId));

/** Address of the player page for anyone. 403: public links are off. */
export async function recordingUrl(caller: Caller, recordingId: string): Promise<string> {
  return (await caller<{ url: string }>("GET", "api/v1", path(recordingId, "/url"))).url;
}

/** The file by its fragments, which begins at once however long it is: as HLS, or as one stream. */
export const playlistPath = (recordingId: string): string => path(recordingId, "/playlist.m3u8");
export const streamPath = (recordingId: string): string => path(recordingId, "/stream");

export const mediaPath = (recordingId: string): string => path(recordingId, "/media");

/** Address of a ZIP with these recordings; `credential` as query, because a download cannot set headers. */
export const zipAddress = (recordingIds: readonly string[], credential: Record<string, string>): string =>
  address("api/v1", "/recordings/download", { recordingIds: recordingIds.join(","), ...credential });
