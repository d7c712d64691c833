/** Rooms: their documents, settings and links. All throw ApiError. */
import { list, part, type Caller, type Listing, type Query } from "./caller";
import type { Room, RoomAccess, RoomConfig, RoomRoles } from "../lib/types";

const path = (roomId: string, tail = ""): string => `/rooms/${part(roomId)}${tail}`;

export const listRooms = (caller: Caller, query: Query): Promise<Listing<Room>> => list(caller, "rooms", "/rooms", query);

export const createRoom = (caller: Caller, roomName: string): Promise<Room> =>
  caller("POST", "api/v1", "/rooms", { body: { roomName } });

export const getRoom = (caller: Caller, roomId: string, extraFields = "config"): Promise<Room> =>
  caller("GET", "api/v1", path(roomId), { query: { extraFields } });

export const setStatus = (caller: Caller, roomId: string, status: "open" | "closed"): Promise<Room> =>
  caller("PUT", "api/v1", path(roomId, "/status"), { body: { status } });

/** Change what is named in `config`, keep the rest; the whole configuration comes back. */
export const setConfig = (caller: Caller, roomId: string, config: object): Promise<RoomConfig> =>
  caller("PUT", "api/v1", path(roomId, "/config"), { body: { config } });

export const setAccess = (caller: Caller, roomId: string, access: object): Promise<RoomAccess> =>
  caller("PUT", "api/v1", path(roomId, "/access"), { body: { access } });

export type Role = "moderator" | "speaker";

export function setPermission(
  caller: Caller,
  roomId: string,
  role: Role,
  name: string,
  value: boolean,
): Promise<RoomRoles> {
  const body = { roles: { [role]: { permissions: { [name]: value } } } };
  return caller("PUT", "api/v1", path(roomId, "/roles"), { body });
}

export interface DeletionPolicy {
  readonly withMeeting?: string;
  readonly withRecordings?: string;
}

export interface Deletion {
  readonly successCode: string;
  readonly message: string;
}

/** Refused with 409 while a meeting or recordings are there and the policy does not say what becomes of them. */
export const deleteRoom = (caller: Caller, roomId: string, policy: DeletionPolicy = {}): Promise<Deletion> =>
  caller("DELETE", "api/v1", path(roomId), { query: { ...policy } });
