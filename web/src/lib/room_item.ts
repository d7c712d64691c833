/** One room of the console as a list item. */
import { deleteRoom, type Caller } from "./api";
import { link } from "./config";
import { busy, copy, el, icon, toast } from "./dom";
import { when } from "./format";
import { ApiError } from "./http";
import type { Room } from "./types";

export function roomItem(room: Room, caller: Caller, removed: () => void): HTMLLIElement {
  const path = `room/${encodeURIComponent(room.roomId)}`;
  const { moderator, speaker } = room.access.anonymous;
  const status = { active_meeting: "In a meeting", closed: "Closed", open: "" }[room.status];
  const text = el(
    "div",
    { class: "row-text" },
    el("strong", {}, room.roomName),
    el("span", { class: "muted" }, `Created ${when(room.creationDate)}`),
  );
  if (status) text.append(el("span", { class: `chip chip-${room.status}` }, status));
  const actions = el("div", { class: "row-actions" }, el("a", { class: "button primary small", href: link(path), "data-testid": "room-open" }, "Open"));
  const links: [string, string, { enabled: boolean; url?: string }][] = [
    ["Moderator link", "room-copy-moderator", moderator],
    ["Speaker link", "room-copy-speaker", speaker],
  ];
  for (const [label, testid, entry] of links) {
    if (!entry.enabled || !entry.url) continue;
    const { url } = entry;
    const button = el("button", { type: "button", class: "small", "data-testid": testid }, icon("link"), label);
    button.addEventListener("click", () => void copy(url, `${label} of ${room.roomName} copied`));
    actions.append(button);
  }
  actions.append(el("a", { class: "button small", href: link(`${path}/recordings`), "data-testid": "room-recordings" }, "Recordings"));
  actions.append(remove(room, caller, removed));
  return el("li", { class: "row", "data-testid": "room", "data-room-id": room.roomId }, text, actions);
}

function remove(room: Room, caller: Caller, removed: () => void): HTMLElement {
  const label = `Delete ${room.roomName}`;
  const button = el("button", { type: "button", class: "icon-button danger", title: "Delete", "aria-label": label }, icon("trash"));
  const act = async (): Promise<void> => {
    if (!window.confirm(`${label}?`)) return;
    try {
      await deleteRoom(caller, room.roomId, false);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status !== 409) return toast(error.message, "error");
      const force = `${error.message}\n\nEnd its meeting and delete its recordings as well?`;
      if (!window.confirm(force)) return;
      await deleteRoom(caller, room.roomId, true);
    }
    removed();
  };
  button.addEventListener("click", () => void busy(button, act));
  return button;
}
