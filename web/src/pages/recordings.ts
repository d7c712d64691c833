/** `/room/{roomId}/recordings`: what was recorded in a room, for those whose secret or account permits it. */
import { getRoom } from "../lib/api";
import { config, link } from "../lib/config";
import { byId, showView } from "../lib/dom";
import { ApiError } from "../lib/http";
import { Member } from "../lib/member";
import { recordingProblem, roomProblem, showProblem } from "../lib/problems";
import { showRecordings } from "../lib/recording_list";
import { takeSecret } from "../lib/secrets";

const roomId = config.roomId ?? "";

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
    enter.href = link(`room/${encodeURIComponent(roomId)}`);
    enter.hidden = !member.may("canJoinMeeting");
    await showRecordings({ caller, mayDelete: member.may("canDeleteRecordings"), query: () => member.query }, roomId);
    showView("list");
  } catch (error) {
    showProblem(error, roomProblem);
  }
}

void main();
