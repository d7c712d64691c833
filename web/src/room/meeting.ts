/** One connection to the meeting: livekit-client's room, wired to tiles, chat, recording and controls. */
import { ConnectionState, DisconnectReason, Room, RoomEvent, type Participant } from "livekit-client";
import { endMeeting, kick } from "../api/meetings";
import { announce, byId, showView, toast } from "../lib/dom";
import { ApiError } from "../lib/http";
import type { Member } from "../lib/member";
import type { RoomConfig } from "../lib/types";
import { CHAT_TOPIC, Chat } from "./chat";
import { Controls } from "./controls";
import { wish } from "./devices";
import type { Choice } from "./lobby";
import { People } from "./people";
import { PAUSED_TOPIC } from "./pausing";
import { RECORDING_TOPIC, RecordingView } from "./recording";
import { Tiles, displayName } from "./tiles";

const ROLE_TOPIC = "meet_participant_role_updated";
const PERMISSIONS_TOPIC = "meet_participant_permissions_updated";
const LOOK_AGAIN_MS = 3000;

export type Ended = "left" | "lost" | "ended" | "endedHere" | "removed" | "elsewhere" | "closed";

/** A running meeting, as far as others may want something of it. */
export interface Meeting {
  /** One's own. */
  readonly identity: string;
  readonly leave: () => Promise<void>;
  /** For everybody. Throws ApiError. */
  readonly end: () => Promise<void>;
  readonly kick: (identity: string) => Promise<void>;
}

const REASONS: Partial<Record<DisconnectReason, Ended>> = {
  [DisconnectReason.CLIENT_INITIATED]: "left",
  [DisconnectReason.DUPLICATE_IDENTITY]: "elsewhere",
  [DisconnectReason.PARTICIPANT_REMOVED]: "removed",
  [DisconnectReason.ROOM_DELETED]: "ended",
  [DisconnectReason.ROOM_CLOSED]: "ended",
  [DisconnectReason.SERVER_SHUTDOWN]: "closed",
};

/**
 * Join and stay until the end. Resolves when the meeting is on screen, with devices; `joined` is called before these are
 * there, `ended` once. Throws when it fails.
 */
export async function startMeeting(
  member: Member,
  config: RoomConfig | undefined,
  choice: Choice,
  joined: (meeting: Meeting) => void,
  ended: (reason: Ended, meeting: Meeting) => void,
): Promise<void> {
  const { token, url } = await member.join(choice.name);
  const room = new Room({
    adaptiveStream: true,
    dynacast: true,
    disconnectOnPageLeave: true,
    audioCaptureDefaults: wish("audioinput"),
    videoCaptureDefaults: wish("videoinput"),
    audioOutput: wish("audiooutput"),
  });
  const tiles = new Tiles(room);
  const chat = new Chat(room);
  const recording = new RecordingView(member, config?.recording);
  const controls = new Controls(room, member);
  const call = member.request.bind(member);
  let endedHere = false;
  const end = async (): Promise<void> => {
    endedHere = true;
    try {
      await endMeeting(call, member.roomId);
    } catch (error) {
      endedHere = false;
      throw error;
    }
  };
  const meeting: Meeting = {
    identity: member.claims?.sub ?? "",
    leave: () => room.disconnect(),
    end,
    kick: (identity) => kick(call, member.roomId, identity),
  };
  const people = new People(room, member, end);
  const update = (): void => {
    tiles.sync();
    controls.sync();
    people.sync();
  };
  const allow = (): void => {
    const on = config?.chat.enabled !== false;
    chat.allow(on && member.may("canReadChat"), on && member.may("canWriteChat"));
    recording.permissionsChanged();
    controls.sync();
    people.sync();
  };
  member.onChange = allow;

  for (const event of TRACK_EVENTS) room.on(event, update);
  room.on(RoomEvent.ParticipantConnected, (someone) => comeAndGo(someone, "joined", update));
  room.on(RoomEvent.ParticipantDisconnected, (someone) => comeAndGo(someone, "left", update));
  room.on(RoomEvent.ActiveSpeakersChanged, () => tiles.speakers());
  room.on(RoomEvent.DataReceived, (payload, sender, _kind, topic) => {
    if (topic === CHAT_TOPIC && sender) chat.receive(displayName(sender), payload);
    // Signals come from the server. With a sender it is a participant pretending.
    if (sender) return;
    if (topic === RECORDING_TOPIC) recording.receive(payload);
    if (topic === PAUSED_TOPIC) recording.receivePaused(payload);
    if (topic === ROLE_TOPIC) void renew(member, () => member.refresh());
    if (topic === PERMISSIONS_TOPIC) void renew(member, () => member.regenerate());
  });
  room.on(RoomEvent.AudioPlaybackStatusChanged, () => controls.sync());
  room.on(RoomEvent.Reconnecting, () => banner("The connection was lost. Reconnecting…"));
  room.on(RoomEvent.SignalReconnecting, () => banner("The connection was lost. Reconnecting…"));
  room.on(RoomEvent.Reconnected, () => {
    banner("");
    update();
    // After a full reconnect livekit-client keeps back the event TrackSubscribed for two seconds, and then loses it.
    window.setTimeout(() => {
      if (room.state === ConnectionState.Connected) update();
    }, LOOK_AGAIN_MS);
    void recording.load();
  });
  room.on(RoomEvent.MediaDevicesError, (error) => toast(`Camera or microphone: ${error.message}`, "error"));
  room.on(RoomEvent.Disconnected, (reason) => {
    member.stop();
    tiles.clear();
    controls.close();
    people.hide();
    recording.close();
    for (const dialog of document.querySelectorAll("dialog[open]")) (dialog as HTMLDialogElement).close("");
    banner("");
    const why = (reason !== undefined && REASONS[reason]) || "lost";
    ended(why === "ended" && endedHere ? "endedHere" : why, meeting);
  });

  await room.connect(url, token);
  showView("meeting");
  allow();
  update();
  announce("You joined the meeting.");
  joined(meeting);
  void recording.load();
  await Promise.all([
    choice.microphone ? controls.setMicrophone(true) : undefined,
    choice.camera ? controls.setCamera(true) : undefined,
  ]);
}

const TRACK_EVENTS = [
  RoomEvent.TrackPublished,
  RoomEvent.TrackUnpublished,
  RoomEvent.TrackSubscribed,
  RoomEvent.TrackUnsubscribed,
  RoomEvent.TrackMuted,
  RoomEvent.TrackUnmuted,
  RoomEvent.LocalTrackPublished,
  RoomEvent.LocalTrackUnpublished,
  RoomEvent.ParticipantNameChanged,
  RoomEvent.ParticipantMetadataChanged,
] as const;

function comeAndGo(participant: Participant, what: "joined" | "left", update: () => void): void {
  update();
  announce(`${displayName(participant)} ${what}.`);
}

/** Take over what a signal of the server announced, and say what it means. */
async function renew(member: Member, action: () => Promise<void>): Promise<void> {
  const before = member.claims?.badge;
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast("Your permissions have changed. Rejoin if something does not work.");
    return;
  }
  const after = member.claims?.badge;
  if (before === after) toast("Your permissions have changed.");
  else toast(after === "moderator" ? "You are a moderator now." : "You are no longer a moderator.");
}

function banner(text: string): void {
  const element = byId("banner");
  element.textContent = text;
  element.hidden = text === "";
}
