/** `/rooms`: find rooms, create one. */
import { createRoom, listRooms } from "../api/rooms";
import { containing } from "../api/caller";
import { guarded, openConsole } from "../lib/console";
import { announce, byId } from "../lib/dom";
import { onFilter, value } from "../lib/filters";
import { onSubmit } from "../lib/forms";
import { PagedList } from "../lib/paged_list";
import { roomItem } from "../lib/room_item";
import { asUser } from "../lib/session";
import type { Room, User } from "../lib/types";

const PAGE = 20;

async function open(me: User): Promise<void> {
  const mayManage = (room: Room): boolean => me.role === "admin" || room.owner === me.userId;
  const rooms = new PagedList<Room>(
    "rooms",
    {
      load: (nextPageToken) => {
        const status = value("room-status") || undefined;
        return listRooms(asUser, { maxItems: PAGE, nextPageToken, status, ...containing("roomName", value("room-search")) });
      },
      item: (room) => roomItem(room, mayManage(room)),
      changed: () => {
        const filtered = value("room-search") !== "" || value("room-status") !== "";
        byId("rooms-empty-text").textContent = filtered ? "No room matches." : me.role === "room_member" ? "No room has been shared with you yet." : "No rooms yet. Name one above and share its link.";
      },
    },
    guarded,
  );
  onFilter(["room-search", "room-status"], () => guarded(() => rooms.reload()), () => rooms.items.length);
  onSubmit("create-form", () =>
    guarded(async () => {
      const input = byId<HTMLInputElement>("new-room");
      const room = await createRoom(asUser, input.value.trim());
      input.value = "";
      rooms.add(room);
      announce(`Room ${room.roomName} created.`);
    }),
  );
  await rooms.reload();
}

void openConsole(open);
