/** Shapes of the REST API, as far as the pages read them. Times are milliseconds since the epoch. */

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
  readonly recording: Toggle & { readonly layout?: string };
  readonly chat: Toggle;
  readonly e2ee: Toggle;
}

export interface Room {
  readonly roomId: string;
  readonly roomName: string;
  readonly status: "open" | "active_meeting" | "closed";
  readonly creationDate: number;
  readonly owner?: string;
  readonly access: {
    readonly anonymous: { readonly moderator: AccessEntry; readonly speaker: AccessEntry; readonly recording: AccessEntry };
    readonly user: AccessEntry;
  };
  readonly config?: RoomConfig;
}

export type RecordingStatus = "starting" | "active" | "ending" | "complete" | "failed" | "aborted" | "limit_reached";

export interface Recording {
  /** Empty in the very first signal of a recording that is about to start. */
  readonly recordingId: string;
  readonly roomId: string;
  readonly roomName?: string;
  readonly status: RecordingStatus;
  readonly filename?: string;
  readonly startDate?: number;
  readonly endDate?: number;
  /** Seconds. */
  readonly duration?: number;
  /** Bytes. */
  readonly size?: number;
  readonly error?: string;
}

