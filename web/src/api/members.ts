/** Members of a room: users of this server, and guests with a link of their own. All throw ApiError. */
import { list, part, type Caller, type Listing, type Query } from "./caller";
import type { RoomMember } from "../lib/types";

const path = (roomId: string, memberId = ""): string => `/rooms/${part(roomId)}/members${memberId && `/${part(memberId)}`}`;

export type NewMember = { readonly baseRole: string } & ({ readonly userId: string } | { readonly name: string });

export const listMembers = (caller: Caller, roomId: string, query: Query): Promise<Listing<RoomMember>> =>
  list(caller, "members", path(roomId), query);

export const addMember = (caller: Caller, roomId: string, member: NewMember): Promise<RoomMember> =>
  caller("POST", "api/v1", path(roomId), { body: member });

export const getMember = (caller: Caller, roomId: string, memberId: string): Promise<RoomMember> =>
  caller("GET", "api/v1", path(roomId, memberId));

export const setBaseRole = (caller: Caller, roomId: string, memberId: string, baseRole: string): Promise<RoomMember> =>
  caller("PUT", "api/v1", path(roomId, memberId), { body: { baseRole } });

export const removeMember = (caller: Caller, roomId: string, memberId: string): Promise<void> =>
  caller("DELETE", "api/v1", path(roomId, memberId));
