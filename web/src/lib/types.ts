/** Shapes of the REST API, as far as the pages read them. Times are milliseconds since the epoch. */
import type { Layout } from "./layouts";

export type PermissionName =
  | "canRecord" | "canRetrieveRecordings" | "canDeleteRecordings" | "canJoinMeeting" | "canShareAccessLinks"
  | "canMakeModerator" | "canKickParticipants" | "canEndMeeting" | "canPublishVideo" | "canPublishAudio"
  | "canShareScreen" | "canReadChat" | "canWriteChat" | "canChangeVirtualBackground";

export type Permissions = Readonly<Partial<Record<PermissionName, boolean>>>;

interface Toggle {
  readonly enabled: boolean;
}

interface AccessEntry extends Toggle {
  /** Absent for callers who may not share links. */
  readonly url?: string;
}

export interface RoomConfig {
  /** `encoding` is the name of a preset, or an object that the pages show and do not edit. */
  readonly recording: Toggle & { readonly layout?: Layout; readonly encoding?: string | object };
  readonly chat: Toggle;
  readonly virtualBackground: Toggle;
  readonly captions: Toggle;
  readonly e2ee: Toggle;
}

export interface RoomAccess {
  readonly anonymous: { readonly moderator: AccessEntry; readonly speaker: AccessEntry; readonly recording: AccessEntry };
  readonly user: AccessEntry;
}

export interface RoomRoles {
  readonly moderator: { readonly permissions: Permissions };
  readonly speaker: { readonly permissions: Permissions };
}

export interface Room {
  readonly roomId: string;
  readonly roomName: string;
  readonly status: "open" | "active_meeting" | "closed";
  readonly creationDate: number;
  readonly owner?: string;
  readonly access: RoomAccess;
  readonly autoDeletionDate?: number;
  readonly config?: RoomConfig;
  readonly roles?: RoomRoles;
}

export type RecordingStatus = "starting" | "active" | "ending" | "complete" | "failed" | "aborted" | "limit_reached";

export interface Recording {
  /** Empty in the very first signal of a recording that is about to start. */
  readonly recordingId: string;
  readonly roomId: string;
  readonly roomName?: string;
  readonly status: RecordingStatus;
  readonly layout?: Layout;
  readonly filename?: string;
  readonly startDate?: number;
  readonly endDate?: number;
  /** Seconds. */
  readonly duration?: number;
  /** Bytes. */
  readonly size?: number;
  readonly error?: string;
}

/** With what the embedded recorder knows of it. */
export interface KnownRecording extends Recording {
  readonly paused: boolean;
  /** Absent when another media server records: that one cannot pause. */
  readonly compose?: "live" | "after";
}

/** Whether it has no picture: the file of one that has is always named `.mp4`. */
export function isSound({ filename }: Recording): boolean {
  return /\.(m4a|webm)$/.test(filename ?? "");
}

/** Whether there is a file to play: also one that ended at a limit has everything up to it. */
export function hasMedia({ status, size }: Recording): boolean {
  return status === "complete" || (status === "limit_reached" && Boolean(size));
}


export type UserRole = "admin" | "room_manager" | "room_member";

export interface User {
  readonly userId: string;
  readonly name: string;
  readonly role: UserRole;
  readonly registrationDate: number;
}

export interface RoomMember {
  readonly memberId: string;
  readonly name: string;
  readonly type: "user" | "identified_guest";
  readonly baseRole: "moderator" | "speaker";
  readonly accessUrl: string;
}
