/** `/room/{roomId}/recordings`: what was recorded in a room, for those whose secret or account permits it. */
import { getRoom } from "../api/rooms";
import { onlyRecordings } from "../embed/host";
import { config, link } from "../lib/config";
import { byId, showView, toast } from "../lib/dom";
import { sentence } from "../lib/forms";
import { ApiError } from "../lib/http";
import { Member } from "../lib/member";
import { recordingProblem, roomProblem, showProblem } from "../lib/problems";
import { recordingList } from "../lib/recording_list";
import { takeSecret, withSecret } from "../lib/secrets";
import { wearTheme } from "../lib/theme";

const roomId = config.roomId ?? "";

async function guarded(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(sentence(error.message), "error");
  }
}

async function main(): Promise<void> {
  const member = new Member(roomId, takeSecret("secret", roomId));
  const caller = member.request.bind(member);
  try {
    await member.enter();
    if (!member.may("canRetrieveRecordings")) return showProblem(new ApiError(403, "Authorization Error", ""), recordingProblem);
    const room = await getRoom(caller, roomId);
    byId("room-name").textContent = room.roomName;
    document.title = `Recordings of ${room.roomName} · Meet`;
    const enter = byId<HTMLAnchorElement>("enter-room");
    enter.href = withSecret(link(`room/${encodeURIComponent(roomId)}`), roomId);
    enter.hidden = onlyRecordings || !member.may("canJoinMeeting");
    const mayDelete = member.may("canDeleteRecordings");
    const mayPause = member.may("canRecord");
    await recordingList({ caller, mayDelete, mayPause, query: () => member.query, filter: () => ({ roomId }), guarded }).reload();
    showView("list");
  } catch (error) {
    showProblem(error, roomProblem);
  }
}

void wearTheme();
void main();
