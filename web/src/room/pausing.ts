/** A recording that rests: a button for those who may record, and everyone sees that nothing is kept. */
import { quietly } from "../api/caller";
import { inspectRecording, setPaused } from "../api/recordings";
import { announce, busy, byId, toast } from "../lib/dom";
import { sentence } from "../lib/forms";
import { ApiError } from "../lib/http";
import type { Member } from "../lib/member";

export const PAUSED_TOPIC = "meet_extra_recording_paused";

export class Pausing {
  paused = false;
  /** Milliseconds that this page saw it paused, up to now: no time passes in the file. */
  get restedMs(): number {
    return this.rested + (this.paused ? Date.now() - this.pausedAt : 0);
  }
  private rested = 0;
  private pausedAt = 0;
  /** Of the recording that is running. */
  private recordingId: string | undefined;
  /** False when another media server records. */
  private possible = true;
  /** How often the server said what is: an answer that was under way meanwhile is older. */
  private heard = 0;
  private readonly button = byId<HTMLButtonElement>("pause-button");
  private readonly call: Member["request"];

  constructor(
    private readonly member: Member,
    private readonly changed: () => void,
  ) {
    this.call = member.request.bind(member);
    this.button.addEventListener("click", () => void busy(this.button, () => this.press()));
  }

  /** The recording that is active now; undefined when none is. */
  follow(recordingId: string | undefined): void {
    if (recordingId !== this.recordingId) {
      this.recordingId = recordingId;
      this.paused = false;
      this.rested = 0;
      this.possible = true;
      void this.load();
    }
    this.button.hidden = !recordingId || !this.possible || !this.member.may("canRecord");
    this.button.dataset["paused"] = String(this.paused);
    byId("pause-label").textContent = this.paused ? "Resume recording" : "Pause recording";
  }

  /** Find out, after joining and a reconnect, and now and then: of a recorder that was slow to obey nobody signals. */
  async load(): Promise<void> {
    const id = this.recordingId;
    if (!id || !this.member.may("canRetrieveRecordings")) return;
    const heard = this.heard;
    try {
      const known = await inspectRecording(quietly(this.call), id);
      if (id !== this.recordingId || heard !== this.heard) return;
      this.possible = known.compose !== undefined;
      this.accept(known.paused);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
    }
  }

  /** A `meet_extra_recording_paused` signal of the server. */
  receive(payload: Uint8Array): void {
    const signal = JSON.parse(new TextDecoder().decode(payload)) as { recordingId: string; paused: boolean };
    if (signal.recordingId === this.recordingId) this.accept(signal.paused);
  }

  private async press(): Promise<void> {
    const id = this.recordingId;
    if (!id) return;
    try {
      const known = await setPaused(this.call, id, !this.paused);
      if (id === this.recordingId) this.accept(known.paused);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(sentence(error.message), "error");
    }
  }

  private accept(paused: boolean): void {
    this.heard += 1;
    if (paused !== this.paused) {
      announce(paused ? "The recording is paused." : "The recording goes on.");
      if (paused) this.pausedAt = Date.now();
      else this.rested += Date.now() - this.pausedAt;
    }
    this.paused = paused;
    this.changed();
  }
}
