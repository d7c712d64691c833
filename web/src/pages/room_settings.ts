/** `/rooms/{roomId}`: everything about one room. */
import { getRoom, setStatus } from "../api/rooms";
import { config, link } from "../lib/config";
import { guarded, openConsole } from "../lib/console";
import { deleteRoomAsking } from "../lib/delete_room";
import { busy, byId, toast } from "../lib/dom";
import { when } from "../lib/format";
import { roomPath, statusChip } from "../lib/room_item";
import { asUser } from "../lib/session";
import type { Room } from "../lib/types";
import { showAccess } from "../settings/access";
import { showFeatures } from "../settings/features";
import { showMembers } from "../settings/members";
import { showPermissions } from "../settings/permissions";

const roomId = config.roomId ?? "";

function showHead(room: Room): void {
  document.title = `${room.roomName} · Meet`;
  byId("room-name").textContent = room.roomName;
  byId("room-chip").replaceChildren(...statusChip(room));
  const facts = [`Owner ${room.owner ?? ""}`, `created ${when(room.creationDate)}`];
  if (room.autoDeletionDate) facts.push(`deleted automatically ${when(room.autoDeletionDate)}`);
  byId("room-facts").textContent = facts.join(" · ");
  byId("join-room").hidden = room.status === "closed";
  const button = byId<HTMLButtonElement>("room-toggle");
  button.textContent = room.status === "closed" ? "Open room" : "Close room";
  byId("room-active").hidden = room.status !== "active_meeting";
}

async function open(): Promise<void> {
  let room = await getRoom(asUser, roomId, "config,roles");
  byId<HTMLAnchorElement>("join-room").href = roomPath(roomId);
  byId<HTMLAnchorElement>("room-recordings").href = `${roomPath(roomId)}/recordings`;
  showHead(room);
  showAccess(room);
  showFeatures(room);
  showPermissions(room);
  await showMembers(room);
  const toggle = byId<HTMLButtonElement>("room-toggle");
  toggle.addEventListener("click", () => void busy(toggle, () => guarded(async () => {
    const wanted = room.status === "closed" ? "open" : "closed";
    room = { ...room, ...(await setStatus(asUser, roomId, wanted)) };
    showHead(room);
    const later = wanted === "closed" && room.status === "active_meeting";
    toast(later ? "The room will close when its meeting ends." : wanted === "closed" ? "The room is closed." : "The room is open.");
  })));
  const remove = byId<HTMLButtonElement>("room-delete");
  remove.addEventListener("click", () => void guarded(async () => {
    if (await deleteRoomAsking(asUser, room)) location.assign(link("rooms"));
  }));
}

void openConsole(open);
