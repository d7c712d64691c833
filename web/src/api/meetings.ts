/** Moderation of a running meeting, for members whose token allows it. All throw ApiError. */
import { part, type Caller } from "./caller";

const path = (roomId: string, identity = "", tail = ""): string =>
  `/meetings/${part(roomId)}${identity && `/participants/${part(identity)}`}${tail}`;

export const endMeeting = (caller: Caller, roomId: string): Promise<void> => caller("DELETE", "internal-api/v1", path(roomId));

export const kick = (caller: Caller, roomId: string, identity: string): Promise<void> =>
  caller("DELETE", "internal-api/v1", path(roomId, identity));

/** Make someone a moderator for this meeting, or take that back. */
export const changeRole = (caller: Caller, roomId: string, identity: string, action: "upgrade" | "downgrade"): Promise<void> =>
  caller("PUT", "internal-api/v1", path(roomId, identity, "/role"), { body: { action } });
