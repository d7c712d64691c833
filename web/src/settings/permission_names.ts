/** Permissions in words. Servers answer in OpenVidu Meet 3.8's names, or only in 3.9's (MEET_MODE). */

type Row = readonly [old: string, next: Readonly<Record<string, string>>, label: string];

const one = (old: string, next: string, label: string): Row => [old, { [next]: label }, label];

const ROWS: readonly Row[] = [
  one("canJoinMeeting", "meetingJoin", "Join the meeting"),
  one("canPublishAudio", "mediaPublishAudio", "Use the microphone"),
  one("canPublishVideo", "mediaPublishVideo", "Use the camera"),
  one("canShareScreen", "mediaShareScreen", "Share the screen"),
  one("canReadChat", "chatRead", "Read the chat"),
  one("canWriteChat", "chatWrite", "Write in the chat"),
  one("canChangeVirtualBackground", "mediaChangeVirtualBackground", "Change the background"),
  one("canRecord", "recordingControl", "Record"),
  [
    "canRetrieveRecordings",
    { recordingList: "See which recordings there are", recordingPlay: "Watch recordings", recordingDownload: "Download recordings" },
    "Watch recordings",
  ],
  one("canDeleteRecordings", "recordingDelete", "Delete recordings"),
  one("canShareAccessLinks", "roomShareAccessLinks", "See and share links"),
  one("canMakeModerator", "participantPromote", "Make others moderators"),
  one("canKickParticipants", "participantKick", "Remove participants"),
  one("canEndMeeting", "meetingEnd", "End the meeting for everyone"),
];

/** [name, label] of what can be set, in the names that the answer of the server uses. */
export function permissionRows(answered: Readonly<Record<string, boolean>>): [string, string][] {
  return ROWS.flatMap(([old, next, label]) => (old in answered ? [[old, label] as [string, string]] : Object.entries(next)));
}
