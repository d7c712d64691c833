/** What moderators and speakers of a room may do: a table of check boxes, each stored when it changes. */
import { setPermission, type Role } from "../api/rooms";
import { byId, el } from "../lib/dom";
import { asUser } from "../lib/session";
import { storeChecked } from "../lib/switches";
import type { Room } from "../lib/types";
import { permissionRows } from "./permission_names";

type Held = Readonly<Record<string, boolean>>;

const ROLES: readonly [Role, string][] = [["moderator", "Moderators"], ["speaker", "Speakers"]];

export function showPermissions(room: Room): void {
  const { roles } = room;
  if (!roles) return;
  const held = { moderator: roles.moderator.permissions as Held, speaker: roles.speaker.permissions as Held };
  const rows = permissionRows(held.moderator).map(([name, label]) => {
    const cells = ROLES.map(([role, who]) => el("td", {}, box(room.roomId, role, name, `${who}: ${label}`, held[role][name] === true)));
    return el("tr", {}, el("th", { scope: "row" }, label), ...cells);
  });
  byId("permissions").replaceChildren(...rows);
}

function box(roomId: string, role: Role, name: string, label: string, on: boolean): HTMLInputElement {
  const input = el("input", { type: "checkbox", "aria-label": label, "data-testid": `${role}-${name}` });
  input.checked = on;
  storeChecked(input, async (wanted) => {
    await setPermission(asUser, roomId, role, name, wanted);
  });
  return input;
}
