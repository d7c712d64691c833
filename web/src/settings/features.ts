/** What a meeting in this room offers, and how it is recorded. */
import { setConfig } from "../api/rooms";
import { byId, el, field, select } from "../lib/dom";
import { LAYOUTS } from "../lib/layouts";
import { asUser } from "../lib/session";
import { storeChoice, switchRow } from "../lib/switches";
import type { Room, RoomConfig } from "../lib/types";

const FEATURES: readonly [keyof RoomConfig, string, string][] = [
  ["recording", "Recording", "Moderators may record the meeting."],
  ["chat", "Chat", "Messages between the people in the meeting."],
  ["virtualBackground", "Virtual backgrounds", "For apps that have them."],
  ["captions", "Live captions", "Where the server offers them."],
  ["e2ee", "End-to-end encryption", "Nobody but the participants can see or hear it; such a room cannot be recorded."],
];
const SIZES: Readonly<Record<string, string>> = {
  H264_720P_30: "720p, 30 fps",
  H264_720P_60: "720p, 60 fps",
  H264_1080P_30: "1080p, 30 fps",
  H264_1080P_60: "1080p, 60 fps",
  PORTRAIT_H264_720P_30: "Portrait 720p, 30 fps",
  PORTRAIT_H264_720P_60: "Portrait 720p, 60 fps",
  PORTRAIT_H264_1080P_30: "Portrait 1080p, 30 fps",
  PORTRAIT_H264_1080P_60: "Portrait 1080p, 60 fps",
};

export function showFeatures(room: Room): void {
  if (room.config) draw(room.roomId, room.config);
}

function draw(roomId: string, config: RoomConfig): void {
  const store = async (change: object): Promise<void> => draw(roomId, await setConfig(asUser, roomId, change));
  const focused = document.activeElement?.getAttribute("data-testid");
  const rows = FEATURES.map(([key, label, hint]) => {
    const save = (on: boolean): Promise<void> => store({ [key]: { enabled: on } });
    return el("li", { class: "setting" }, switchRow({ label, hint, on: config[key].enabled, testid: `feature-${key}`, save }));
  });
  byId("features").replaceChildren(...rows);
  const { layout, encoding, enabled } = config.recording;
  // A hand-made encoding is kept as it is until a preset is chosen.
  const sizes = typeof encoding === "object" ? { "": "Custom", ...SIZES } : SIZES;
  const layouts = choice(LAYOUTS, layout ?? "grid", "feature-layout", (value) => store({ recording: { enabled, layout: value } }));
  const encodings = choice(sizes, typeof encoding === "string" ? encoding : "", "feature-encoding", (value) => store({ recording: { enabled, encoding: value } }));
  const box = byId("recording-options");
  box.hidden = !enabled;
  box.replaceChildren(field("Layout of recordings", layouts), field("Size of recordings", encodings));
  if (focused) document.querySelector<HTMLElement>(`[data-testid="${focused}"]`)?.focus();
}

function choice(options: Readonly<Record<string, string>>, value: string, testid: string, save: (value: string) => Promise<void>): HTMLSelectElement {
  const control = select(options, value, { "data-testid": testid });
  storeChoice(control, save);
  return control;
}
