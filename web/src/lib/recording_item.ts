/** One recording as a list item: name, date, length, size, and what can be done with it. */
import { deleteRecording, mediaPath, recordingUrl, type Caller } from "./api";
import { link } from "./config";
import { busy, el, icon, toast } from "./dom";
import { bytes, clock, when } from "./format";
import { ApiError, address } from "./http";
import type { Recording } from "./types";

const STATUS: Readonly<Record<Recording["status"], string>> = {
  starting: "Starting",
  active: "Recording now",
  ending: "Being saved",
  complete: "Ready",
  failed: "Failed",
  aborted: "Aborted",
  limit_reached: "Limit reached",
};

export interface ItemOptions {
  readonly caller: Caller;
  readonly mayDelete: boolean;
  /** Credential for the download link, which cannot set headers. Asked at the click, so that it is fresh. */
  readonly query: () => Record<string, string>;
  readonly removed: () => void;
}

export function recordingItem(recording: Recording, options: ItemOptions): HTMLLIElement {
  const ready = recording.status === "complete";
  const facts = [
    recording.startDate ? when(recording.startDate) : undefined,
    recording.duration ? clock(recording.duration) : undefined,
    recording.size ? bytes(recording.size) : undefined,
  ].filter((fact) => fact !== undefined);
  const text = el(
    "div",
    { class: "row-text" },
    el("strong", {}, recording.roomName ?? recording.roomId),
    el("span", { class: "muted" }, facts.join(" · ")),
  );
  const actions = el("div", { class: "row-actions" });
  if (!ready) text.append(el("span", { class: `chip chip-${recording.status}` }, STATUS[recording.status]));
  if (ready) actions.append(watch(recording, options), download(recording, options));
  if (options.mayDelete && !["starting", "active", "ending"].includes(recording.status)) {
    actions.append(remove(recording, options));
  }
  return el("li", { class: "row", "data-testid": "recording", "data-recording-id": recording.recordingId }, text, actions);
}

/** A button rather than a link: the player's address contains a secret that is only fetched when it is wanted. */
function watch(recording: Recording, { caller }: ItemOptions): HTMLElement {
  const button = el("button", { type: "button", class: "primary small", "data-testid": "recording-watch" }, icon("play"), "Watch");
  const open = async (): Promise<void> => {
    try {
      location.assign(await recordingUrl(caller, recording.recordingId));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // No public link: the player page finds this tab's own credential.
      if (error.status === 403) location.assign(link(`recording/${encodeURIComponent(recording.recordingId)}`));
      else toast(error.message, "error");
    }
  };
  button.addEventListener("click", () => void busy(button, open));
  return button;
}

function download(recording: Recording, { query }: ItemOptions): HTMLElement {
  const name = recording.filename ?? "recording.mp4";
  const button = el("button", { type: "button", class: "icon-button", title: "Download", "aria-label": `Download ${name}` }, icon("download"));
  button.addEventListener("click", () => {
    el("a", { href: address("api/v1", mediaPath(recording.recordingId), query()), download: name }).click();
  });
  return button;
}

function remove(recording: Recording, { caller, removed }: ItemOptions): HTMLElement {
  const button = el("button", { type: "button", class: "icon-button danger", title: "Delete", "aria-label": "Delete recording" }, icon("trash"));
  const act = async (): Promise<void> => {
    if (!window.confirm("Delete this recording for good?")) return;
    try {
      await deleteRecording(caller, recording.recordingId);
      removed();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(error.message, "error");
    }
  };
  button.addEventListener("click", () => void busy(button, act));
  return button;
}
