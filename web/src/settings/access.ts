/** Who gets into a room by which link. */
import { setAccess } from "../api/rooms";
import { copyButton } from "../lib/clipboard";
import { byId, el } from "../lib/dom";
import { asUser } from "../lib/session";
import { switchRow } from "../lib/switches";
import type { Room, RoomAccess } from "../lib/types";

interface Way {
  readonly key: "moderator" | "speaker" | "recording" | "user";
  readonly label: string;
  readonly hint: string;
}

const WAYS: readonly Way[] = [
  { key: "moderator", label: "Moderator link", hint: "Joins with every right: record, remove people, end the meeting." },
  { key: "speaker", label: "Speaker link", hint: "Joins to talk, show and chat." },
  { key: "recording", label: "Recordings link", hint: "Watches this room's recordings, nothing else." },
  { key: "user", label: "Everyone with an account", hint: "Signed-in users of this server join as speakers." },
];

const entry = (access: RoomAccess, key: Way["key"]): { enabled: boolean; url?: string } =>
  key === "user" ? access.user : access.anonymous[key];

/** A switch and a copy button for each way into the room. */
export function showAccess(room: Room): void {
  const list = byId("access");
  let access = room.access;
  for (const { key, label, hint } of WAYS) {
    const { url, enabled } = entry(access, key);
    const copy = url ? [copyButton("Copy", label, url, `copy-${key}`)] : [];
    copy[0]?.setAttribute("aria-label", `Copy ${label.toLowerCase()}`);
    for (const button of copy) button.hidden = !enabled;
    const row = switchRow({
      label,
      hint,
      on: enabled,
      testid: `access-${key}`,
      save: async (on) => {
        access = await setAccess(asUser, room.roomId, key === "user" ? { user: { enabled: on } } : { anonymous: { [key]: { enabled: on } } });
        for (const button of copy) button.hidden = !entry(access, key).enabled;
      },
    });
    list.append(el("li", { class: "setting" }, row, ...copy));
  }
}
