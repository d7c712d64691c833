/** The recording of a meeting as everyone in it sees it: a badge while it runs, a link when it is finished. */
import { quietly, type Caller } from "../api/caller";
import { getRecording, listRecordings, recordingUrl, startRecording, stopRecording } from "../api/recordings";
import { announce, busy, byId, el, icon, toast } from "../lib/dom";
import { link } from "../lib/config";
import { clock } from "../lib/format";
import { ApiError } from "../lib/http";
import type { Member } from "../lib/member";
import { hasMedia, isSound } from "../lib/types";
import { Pausing } from "./pausing";
import { RecordingChoices } from "./recording_choices";
import type { Recording, RecordingStatus, RoomConfig } from "../lib/types";

export const RECORDING_TOPIC = "meet_recording_updated";

const RANK: Readonly<Record<RecordingStatus, number>> = {
  starting: 0, active: 1, ending: 2, complete: 3, failed: 3, aborted: 3, limit_reached: 3,
};
/**
 * Signals normally tell; polling covers a lost one. Milliseconds. All who are behind one address share its rate limit, which
 * is two requests in a second: hundreds may be in this meeting, and saving a recording may take hours when its store is away.
 */
const POLL_MS: Readonly<Record<"starting" | "active" | "ending", number>> = { starting: 5000, active: 300_000, ending: 10_000 };
const GROWTH = 1.3;
const SPREAD = 0.4;

/** Longer than the server waits for a recording to begin; then the signal of its failure was lost. */
const STARTING_MS = 30_000;
/** Nobody signals to a page that has left the meeting: it asks soon, then ever more seldom. */
const LEFT_POLL_MS = 3000;
const LONGEST_POLL_MS = 60_000;
const LONGEST_SIGNALLED_POLL_MS = 300_000;

const finished = (status: RecordingStatus): boolean => RANK[status] === 3;

export class RecordingView {
  private current: Recording | undefined;
  private readonly ended = new Set<string>();
  private poll = 0;
  private left = false;
  private patience = 0;
  private since = 0;
  /** How far this machine's clock is ahead of the server's. */
  private aheadMs = 0;
  private readonly button = byId<HTMLButtonElement>("record-button");
  private readonly label = byId("record-label");
  private readonly badge = byId("recording-badge");
  private readonly ticker: number;
  private readonly pausing: Pausing;
  private readonly choices: RecordingChoices;
  private readonly call: Caller;
  private readonly asking: Caller;

  constructor(
    private readonly member: Member,
    private readonly config: RoomConfig["recording"] | undefined,
  ) {
    this.call = member.request.bind(member);
    this.asking = quietly(this.call);
    this.pausing = new Pausing(member, () => this.render());
    this.choices = new RecordingChoices(member, config?.layout);
    this.button.addEventListener("click", () => void busy(this.button, () => this.press()).then(() => this.render()));
    this.ticker = window.setInterval(() => this.tick(), 1000);
    this.render();
  }

  /** Find out what is going on, after joining and after a reconnect. */
  async load(): Promise<void> {
    if (!this.member.may("canRetrieveRecordings")) return;
    void this.pausing.load();
    const { roomId } = this.member;
    try {
      const { items } = await listRecordings(this.asking, { roomId, maxItems: 5 });
      const running = items.find((item) => !finished(item.status));
      if (running) this.accept(running);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** A `meet_recording_updated` signal of the server. */
  receive(payload: Uint8Array): void {
    const signal = JSON.parse(new TextDecoder().decode(payload)) as { roomId: string; recording: Recording; timestamp: number };
    this.aheadMs = Date.now() - signal.timestamp;
    if (signal.roomId === this.member.roomId) this.accept(signal.recording);
  }

  /** A `meet_extra_recording_paused` signal of the server. */
  receivePaused(payload: Uint8Array): void {
    this.pausing.receive(payload);
  }

  permissionsChanged(): void {
    this.render();
  }

  /** After leaving: no clock any more, but the link still appears when the recording is finished. */
  close(): void {
    window.clearInterval(this.ticker);
    this.left = true;
    this.patience = LEFT_POLL_MS;
    this.schedule();
  }

  private async press(): Promise<void> {
    const running = this.current && !finished(this.current.status) ? this.current : undefined;
    try {
      if (running?.recordingId) this.accept(await stopRecording(this.call, running.recordingId));
      else if (!running) this.accept(await this.start());
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (this.current?.status === "starting") this.current = undefined;
      toast(this.explain(error), "error");
      await this.load();
    }
  }

  private async start(): Promise<Recording> {
    const { roomId } = this.member;
    this.current = { recordingId: "", roomId, status: "starting" };
    this.since = Date.now();
    this.render();
    return startRecording(this.call, roomId, this.choices.wanted());
  }

  private explain(error: ApiError): string {
    if (error.status === 503) return "The recording could not start. Please try again.";
    if (error.status === 409) return `${error.message}.`;
    if (error.status === 403) return "You may not record this meeting.";
    return error.message;
  }

  /** Take a newer state; an older one that arrives late changes nothing. */
  private accept(next: Recording): void {
    const before = this.current;
    if (this.ended.has(next.recordingId)) return;
    if (!next.recordingId && before?.recordingId && !finished(before.status)) return;
    const same = before !== undefined && before.recordingId === next.recordingId;
    if (same && RANK[next.status] < RANK[before.status]) return;
    this.current = { ...(same ? before : {}), ...next };
    if (!same || before.status !== next.status) {
      this.since = Date.now();
      if (!this.left) this.patience = 0;
      this.tell(this.current);
    }
    if (finished(next.status)) this.finish(this.current);
    this.schedule();
    this.render();
  }

  private tell(recording: Recording): void {
    const texts: Partial<Record<RecordingStatus, string>> = {
      starting: "The recording is starting.",
      active: "This meeting is being recorded.",
      ending: "The recording has stopped and is being saved.",
      complete: "The recording is ready.",
      limit_reached: "The recording reached its limit.",
    };
    announce(texts[recording.status] ?? "The recording failed.");
  }

  private finish(recording: Recording): void {
    if (recording.recordingId) this.ended.add(recording.recordingId);
    this.current = undefined;
    const limited = recording.status === "limit_reached";
    if (limited) toast("The recording reached its limit.", "error");
    if (hasMedia(recording)) void this.offer(recording);
    else if (!limited) toast("The recording failed.", "error");
  }

  /** Put the link where it stays visible, also after leaving. */
  private async offer(recording: Recording): Promise<void> {
    if (!this.member.may("canRetrieveRecordings")) return;
    let href = link(`room/${encodeURIComponent(recording.roomId)}/recordings`);
    try {
      href = await recordingUrl(this.call, recording.recordingId);
    } catch (error) {
      // Public links are switched off: the room's list still opens with this tab's own secret.
      if (!(error instanceof ApiError)) throw error;
    }
    const length = recording.duration ? `Recording (${clock(recording.duration)})` : "Recording";
    const watch = el("a", { href, target: "_blank", rel: "noopener", "data-testid": "recording-link", class: "button small" }, isSound(recording) ? "Listen" : "Watch");
    const close = el("button", { type: "button", class: "quiet icon-button", "aria-label": "Dismiss" }, icon("close"));
    const card = el("div", { class: "ready-card" }, icon("check"), el("span", {}, `${length} is ready`), watch, close);
    close.addEventListener("click", () => card.remove());
    byId("ready-cards").append(card);
  }

  private schedule(): void {
    window.clearTimeout(this.poll);
    const status = this.current?.status;
    if (!status || finished(status) || !this.member.may("canRetrieveRecordings")) return;
    this.patience ||= POLL_MS[status as keyof typeof POLL_MS];
    this.poll = window.setTimeout(() => void this.ask(), this.patience * (1 + Math.random() * SPREAD));
  }

  private async ask(): Promise<void> {
    const id = this.current?.recordingId;
    if (this.current?.status !== "starting") {
      this.patience = Math.min(this.patience * GROWTH, this.left ? LONGEST_POLL_MS : LONGEST_SIGNALLED_POLL_MS);
    }
    try {
      if (!this.left && this.current?.status === "active") void this.pausing.load();
      if (id) this.accept(await getRecording(this.asking, id));
      else await this.load();
      const stuck = !this.current?.recordingId && Date.now() - this.since > STARTING_MS;
      if (stuck) this.current = undefined;
      this.render();
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      if (error.status === 404 && this.current?.recordingId === id) this.current = undefined;
      this.render();
    }
    this.schedule();
  }

  private render(): void {
    const status = this.current?.status;
    const busyNow = status === "starting" || status === "ending";
    const allowed = this.member.may("canRecord") && this.config?.enabled !== false;
    this.button.hidden = !allowed;
    this.choices.allow(allowed);
    this.choices.follow(this.current);
    this.button.disabled = busyNow || this.button.getAttribute("aria-busy") === "true";
    this.button.classList.toggle("recording", status === "active");
    this.label.textContent =
      status === "active" ? "Stop recording" : status === "starting" ? "Starting…" : status === "ending" ? "Saving…" : "Record";
    this.pausing.follow(status === "active" ? this.current?.recordingId : undefined);
    this.badge.hidden = status === undefined;
    this.badge.dataset["status"] = this.pausing.paused ? "paused" : (status ?? "");
    this.tick();
  }

  private tick(): void {
    const { status, startDate } = this.current ?? {};
    const words = { starting: "Starting", ending: "Saving" } as const;
    const recordedMs = startDate ? Date.now() - this.aheadMs - startDate - this.pausing.restedMs : 0;
    const time = startDate ? ` ${clock(Math.max(0, recordedMs) / 1000)}` : "";
    const running = this.pausing.paused ? "Paused" : `REC${time}`;
    byId("recording-text").textContent = status === "active" ? running : status ? (words[status as keyof typeof words] ?? "") : "";
  }
}
