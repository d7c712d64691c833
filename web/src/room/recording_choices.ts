/** What the next recording is to show, and how the one that runs arranges its picture: a part of the settings. */
import { type StartOptions, setLayout } from "../api/recordings";
import { byId, el, toast } from "../lib/dom";
import { sentence } from "../lib/forms";
import { ApiError } from "../lib/http";
import { LAYOUTS, type Layout } from "../lib/layouts";
import type { Member } from "../lib/member";
import { type Recording, isSound } from "../lib/types";

export class RecordingChoices {
  private running: Recording | undefined;
  private readonly layout = byId<HTMLSelectElement>("record-layout");
  private readonly soundOnly = byId<HTMLInputElement>("record-sound");

  constructor(
    private readonly member: Member,
    private readonly roomLayout: Layout = "grid",
  ) {
    const options = Object.entries(LAYOUTS).map(([name, label]) => el("option", { value: name }, label));
    this.layout.replaceChildren(...options);
    this.layout.value = roomLayout;
    this.layout.onchange = () => void this.choose();
    this.soundOnly.checked = false;
    this.soundOnly.onchange = () => this.render();
  }

  /** What differs from what the room says. */
  wanted(): StartOptions {
    const layout = this.chosen;
    return { ...(layout !== this.roomLayout && { layout }), ...(this.soundOnly.checked && { audioOnly: true }) };
  }

  /** The recording that runs; undefined when none does. */
  follow(running: Recording | undefined): void {
    const before = this.running;
    this.running = running;
    if (running?.layout && running.layout !== before?.layout) this.layout.value = running.layout;
    if (running?.filename) this.soundOnly.checked = isSound(running);
    this.render();
  }

  allow(allowed: boolean): void {
    byId("recording-choices").hidden = !allowed;
  }

  private get chosen(): Layout {
    return this.layout.value as Layout;
  }

  private render(): void {
    this.soundOnly.disabled = this.running !== undefined;
    const starting = this.running?.recordingId === "";
    this.layout.disabled = this.soundOnly.checked || starting;
  }

  private async choose(): Promise<void> {
    const { running } = this;
    if (!running?.recordingId) return;
    try {
      await setLayout(this.member.request.bind(this.member), running.recordingId, this.chosen);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(sentence(error.message), "error");
      this.layout.value = running.layout ?? this.roomLayout;
    }
  }
}
