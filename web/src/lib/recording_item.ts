/** One recording as a list item: name, date, length, size, and what can be done with it. */
import { deleteRecording, mediaPath, recordingUrl } from "../api/recordings";
import type { Caller } from "../api/caller";
import { link } from "./config";
import { confirmed } from "./dialog";
import { busy, el, icon, toast } from "./dom";
import { bytes, clock, when } from "./format";
import { sentence } from "./forms";
import { ApiError, address } from "./http";
import { pauseButton } from "./pause_button";
import { withSecret } from "./secrets";
import { shareRecording } from "./share";
import { hasMedia, isSound } from "./types";
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
  readonly mayPause: boolean;
  /** Credential for the download link, which cannot set headers. Asked at the click, so that it is fresh. */
  readonly query: () => Record<string, string>;
  readonly removed: () => void;
}

export function recordingItem(recording: Recording, options: ItemOptions): HTMLLIElement {
  const ready = hasMedia(recording);
  const facts = [
    recording.startDate ? when(recording.startDate) : undefined,
    recording.duration ? clock(recording.duration) : undefined,
    recording.size ? bytes(recording.size) : undefined,
  ].filter((fact) => fact !== undefined);
  const name = recording.roomName ?? recording.roomId;
  const state = el("span", { class: `chip chip-${recording.status}` }, STATUS[recording.status]);
  const chip = recording.status === "complete" ? [] : [state];
  const text = el(
    "div",
    { class: "row-text" },
    el("span", { class: "row-title" }, el("span", { class: "row-name" }, name), ...chip),
    el("span", { class: "muted" }, facts.join(" · ")),
  );
  const actions = el("div", { class: "row-actions" });
  const over = !["starting", "active", "ending"].includes(recording.status);
  if (ready) actions.append(watch(recording, options), share(recording, options), download(recording, options));
  if (options.mayPause && recording.status === "active") {
    actions.append(pauseButton(recording, options.caller, (paused) => (state.textContent = paused ? "Paused" : STATUS.active)));
  }
  if (options.mayDelete && over) actions.append(remove(recording, options));
  const label = `Select recording of ${name}, ${facts[0] ?? recording.status}`;
  const box = el("input", { type: "checkbox", "aria-label": label, disabled: !over, "data-testid": "recording-select" });
  return el(
    "li",
    { class: "row", "data-testid": "recording", "data-recording-id": recording.recordingId, "data-status": recording.status },
    el("span", { class: "row-check" }, box),
    text,
    actions,
  );
}

function share(recording: Recording, { caller }: ItemOptions): HTMLElement {
  const label = `Share the recording of ${recording.roomName ?? recording.roomId}`;
  const button = el("button", { type: "button", class: "icon-button", title: "Share", "aria-label": label, "data-testid": "recording-share" }, icon("link"));
  const act = async (): Promise<void> => {
    try {
      await shareRecording(caller, recording);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(sentence(error.message), "error");
    }
  };
  button.addEventListener("click", () => void act());
  return button;
}

/** A button rather than a link: the player's address contains a secret that is only fetched when it is wanted. */
function watch(recording: Recording, { caller }: ItemOptions): HTMLElement {
  const button = el("button", { type: "button", class: "primary small", "data-testid": "recording-watch" }, icon("play"), isSound(recording) ? "Listen" : "Watch");
  const open = async (): Promise<void> => {
    try {
      location.assign(await recordingUrl(caller, recording.recordingId));
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      // No public link: the player page finds this tab's own credential.
      if (error.status === 403) location.assign(withSecret(link(`recording/${encodeURIComponent(recording.recordingId)}`), recording.roomId));
      else toast(sentence(error.message), "error");
    }
  };
  button.addEventListener("click", () => void busy(button, open));
  return button;
}

function download(recording: Recording, { query }: ItemOptions): HTMLElement {
  const name = recording.filename ?? "recording.mp4";
  const button = el("button", { type: "button", class: "icon-button", title: "Download", "aria-label": `Download ${name}`, "data-testid": "recording-download" }, icon("download"));
  button.addEventListener("click", () => {
    el("a", { href: address("api/v1", mediaPath(recording.recordingId), query()), download: name }).click();
  });
  return button;
}

function remove(recording: Recording, { caller, removed }: ItemOptions): HTMLElement {
  const button = el("button", { type: "button", class: "icon-button danger", title: "Delete", "aria-label": `Delete the recording of ${recording.roomName ?? recording.roomId}` }, icon("trash"));
  const act = async (): Promise<void> => {
    if (!(await confirmed("Delete this recording?", "What was recorded is gone for good.", "Delete"))) return;
    try {
      await deleteRecording(caller, recording.recordingId);
      removed();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(sentence(error.message), "error");
    }
  };
  button.addEventListener("click", () => void busy(button, act));
  return button;
}
