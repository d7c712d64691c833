/** One room of the console as a list item. */
import { link } from "./config";
import { copyButton } from "./clipboard";
import { el } from "./dom";
import { when } from "./format";
import type { Room } from "./types";

const STATUS: Readonly<Record<Room["status"], string>> = { active_meeting: "In a meeting", closed: "Closed", open: "" };

export const roomPath = (roomId: string): string => link(`room/${encodeURIComponent(roomId)}`);
export const settingsPath = (roomId: string): string => link(`rooms/${encodeURIComponent(roomId)}`);

/** What people should know of a room's state; nothing when it is simply open. */
export function statusChip(room: Room): HTMLElement[] {
  const words = STATUS[room.status];
  return words ? [el("span", { class: `chip chip-${room.status}`, "data-testid": "room-status" }, words)] : [];
}

/** `mayManage`: the settings of this room are for the caller. */
export function roomItem(room: Room, mayManage: boolean): HTMLLIElement {
  const { moderator, speaker } = room.access.anonymous;
  const name = mayManage
    ? el("a", { class: "row-name", href: settingsPath(room.roomId), "data-testid": "room-settings" }, room.roomName)
    : el("span", { class: "row-name" }, room.roomName);
  const facts = el("span", { class: "muted" }, `Created ${when(room.creationDate)}`);
  const text = el("div", { class: "row-text" }, el("span", { class: "row-title" }, name, ...statusChip(room)), facts);
  const actions = el("div", { class: "row-actions" });
  const links: [string, string, { enabled: boolean; url?: string }][] = [
    ["Moderator link", "room-copy-moderator", moderator],
    ["Speaker link", "room-copy-speaker", speaker],
  ];
  for (const [label, testid, entry] of links) {
    if (!entry.enabled || !entry.url) continue;
    const button = copyButton(label, `${label} of ${room.roomName}`, entry.url, testid);
    button.setAttribute("aria-label", `Copy ${label.toLowerCase()} of ${room.roomName}`);
    actions.append(button);
  }
  if (room.status !== "closed") {
    const open = el("a", { class: "button primary small", href: roomPath(room.roomId), "data-testid": "room-open", "aria-label": `Join ${room.roomName}` }, "Join");
    actions.append(open);
  }
  return el("li", { class: "row", "data-testid": "room", "data-room-id": room.roomId }, text, actions);
}
