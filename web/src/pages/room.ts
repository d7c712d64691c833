/** `/room/{roomId}`: lobby, meeting, and what comes after. */
import { getRoom } from "../api/rooms";
import { config, link } from "../lib/config";
import { copy } from "../lib/clipboard";
import { byId, showView, toast } from "../lib/dom";
import { ApiError } from "../lib/http";
import { Member } from "../lib/member";
import { roomProblem, showProblem, showText } from "../lib/problems";
import { takeSecret, withSecret } from "../lib/secrets";
import { wearTheme } from "../lib/theme";
import type { Room } from "../lib/types";
import { openLobby, type Choice } from "../room/lobby";
import * as host from "../embed/host";
import { leftForGood, type LeftReason } from "../embed/protocol";
import { startMeeting, type Ended, type Meeting } from "../room/meeting";

const roomId = config.roomId ?? "";

const ENDINGS: Readonly<Record<Ended, readonly [LeftReason, string, string]>> = {
  left: ["voluntary_leave", "You left the meeting", "You can come back any time."],
  lost: ["network_disconnect", "The connection was lost", "The meeting could not be reached any more. Try to join again."],
  ended: ["meeting_ended", "The meeting has ended", "Thank you for taking part."],
  endedHere: ["meeting_ended_by_self", "The meeting has ended", "Everybody has left it."],
  removed: ["participant_kicked", "You were removed from the meeting", "A moderator has ended your participation."],
  elsewhere: ["duplicate_identity", "You joined in another window", "This window has left the meeting, because the same person joined again."],
  closed: ["server_shutdown", "The server is restarting", "Wait a moment, then join again."],
};

function showEnding(ending: Ended, { identity }: Meeting): void {
  const [reason, title, text] = ENDINGS[ending];
  host.tell("left", { roomId, participantIdentity: identity, reason });
  if (host.goesOn && leftForGood(reason) && host.close()) return;
  byId("left-title").textContent = title;
  byId("left-text").textContent = text;
  showView("left");
}

function showName(room: Room): void {
  document.title = `${room.roomName} · Meet`;
  for (const element of document.querySelectorAll("[data-room-name]")) element.textContent = room.roomName;
}

function offerLink(room: Room): void {
  const url = room.access.anonymous.speaker.enabled ? room.access.anonymous.speaker.url : undefined;
  for (const button of document.querySelectorAll<HTMLButtonElement>("[data-invite]")) {
    button.hidden = url === undefined;
    button.addEventListener("click", () => void copy(url ?? "", "Invitation link copied"));
  }
}

async function join(member: Member, room: Room, choice: Choice): Promise<void> {
  try {
    await startMeeting(member, room.config, choice, serve, showEnding);
  } catch (error) {
    if (error instanceof ApiError && error.status >= 400 && error.status < 500) showProblem(error, roomProblem);
    else toast(error instanceof ApiError ? error.message : "The meeting cannot be reached. Please try again.", "error");
  }
}

/** What the site around this page is told, and may ask for. */
function serve({ identity, leave, end, kick }: Meeting): void {
  host.tell("joined", { roomId, participantIdentity: identity });
  host.obey({
    leaveRoom: leave,
    endMeeting: end,
    kickParticipant: (payload) => kick(String((payload as { participantIdentity?: unknown } | undefined)?.participantIdentity ?? "")),
  });
}

/** Inside another site there is no start page, and what comes next is that site's business. */
function offerClosing(): void {
  if (!host.embedded) return;
  const home = byId<HTMLAnchorElement>("left-home");
  home.textContent = "Close";
  home.addEventListener("click", (event) => {
    event.preventDefault();
    host.close();
  });
}

async function main(): Promise<void> {
  const secret = takeSecret("secret", roomId);
  const member = new Member(roomId, secret);
  const only = host.onlyRecordings ? { "show-only-recordings": "true" } : {};
  const recordings = withSecret(link(`room/${encodeURIComponent(roomId)}/recordings`), roomId, only);
  byId("rejoin-button").addEventListener("click", () => location.reload());
  offerClosing();
  if (host.recordingShown !== null) return location.replace(withSecret(link(`recording/${encodeURIComponent(host.recordingShown)}`), roomId));
  try {
    await member.enter();
    const room = await getRoom(member.request.bind(member), roomId);
    if (!member.may("canJoinMeeting") || host.onlyRecordings) {
      location.replace(recordings);
      return;
    }
    showName(room);
    offerLink(room);
    const toRecordings = byId<HTMLAnchorElement>("lobby-recordings");
    toRecordings.href = recordings;
    toRecordings.hidden = !member.may("canRetrieveRecordings");
    if (room.status === "closed") return showProblem(new ApiError(409, "Room Error", ""), roomProblem);
    if (room.config?.e2ee.enabled) return showEncrypted();
    if (!("RTCPeerConnection" in window)) return showUnable();
    showView("lobby");
    await openLobby(member, (choice) => join(member, room, choice), host.participantName);
  } catch (error) {
    showProblem(error, roomProblem);
  }
}

/** Joining without a key would send this person's picture in the clear into a room that promises otherwise. */
function showEncrypted(): void {
  const text = "This room is end-to-end encrypted, which this page does not support. Join with an app that does.";
  showText({ title: "Encrypted room", text });
}

/** Some builds of WebKitGTK lack WebRTC: better said before the name is typed than by a connection that fails. */
function showUnable(): void {
  const text = "It cannot send or receive video calls (WebRTC). Open this link in Chrome, Edge, Firefox or Safari.";
  showText({ title: "Not in this browser", text });
}

void wearTheme();
void main();
