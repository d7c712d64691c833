/** Deleting a room: ask, and when something is in the way, ask what shall become of it (contract 2.2.3). */
import { deleteRoom, type DeletionPolicy } from "../api/rooms";
import type { Caller } from "../api/caller";
import { ask, confirmed } from "./dialog";
import { el, field, select, toast } from "./dom";
import { sentence } from "./forms";
import { ApiError } from "./http";
import type { Room } from "./types";

const MEETING = { when_meeting_ends: "Wait until the meeting ends", force: "End the meeting now" };
const RECORDINGS = { close: "Keep them, and close the room instead", force: "Delete them as well" };

/** True when the room is gone, or will be; its new state is told. Throws ApiError. */
export async function deleteRoomAsking(caller: Caller, room: Room): Promise<boolean> {
  const title = `Delete ${room.roomName}?`;
  if (!(await confirmed(title, "Its links stop working. This cannot be undone.", "Delete room"))) return false;
  try {
    return tell((await deleteRoom(caller, room.roomId)).message);
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 409) throw error;
    const policy = await choosePolicy(title, error.code);
    return policy ? tell((await deleteRoom(caller, room.roomId, policy)).message) : false;
  }
}

function tell(message: string): true {
  toast(sentence(message));
  return true;
}

/** The 409's code names what is in the way: a meeting, recordings, or both. */
async function choosePolicy(title: string, code: string): Promise<DeletionPolicy | undefined> {
  const meeting = code.includes("meeting") ? select(MEETING, "when_meeting_ends", { "data-testid": "with-meeting" }) : undefined;
  const recordings = code.includes("recordings") ? select(RECORDINGS, "close", { "data-testid": "with-recordings" }) : undefined;
  const body: Node[] = [];
  if (meeting) body.push(field("The meeting going on in it", meeting));
  if (recordings) body.push(field("Its recordings", recordings));
  const text = meeting && recordings ? "People are meeting in it, and it has recordings." : meeting ? "People are meeting in it." : "It has recordings.";
  const answer = await ask({ title, text, body: [el("div", { class: "fields" }, ...body)], choices: [{ label: "Delete room", value: "yes", kind: "danger-fill" }] });
  if (answer === undefined) return undefined;
  return { ...(meeting ? { withMeeting: meeting.value } : {}), ...(recordings ? { withRecordings: recordings.value } : {}) };
}
