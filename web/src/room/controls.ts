/** The buttons below the meeting: microphone, camera, screen, settings, sound, leave. */
import type { Room } from "livekit-client";
import { byId, toast } from "../lib/dom";
import type { Member } from "../lib/member";
import { bindSelects, devicesAvailable } from "./devices";

export class Controls {
  private readonly listeners = new AbortController();
  private readonly microphone = byId<HTMLButtonElement>("microphone-button");
  private readonly camera = byId<HTMLButtonElement>("camera-button");
  private readonly screen = byId<HTMLButtonElement>("screen-button");
  private readonly sound = byId<HTMLButtonElement>("sound-button");

  constructor(
    private readonly room: Room,
    private readonly member: Member,
  ) {
    const local = room.localParticipant;
    this.on(this.microphone, () => this.setMicrophone(!local.isMicrophoneEnabled));
    this.on(this.camera, () => this.setCamera(!local.isCameraEnabled));
    this.on(this.screen, () => this.setScreen(!local.isScreenShareEnabled));
    this.on(this.sound, () => room.startAudio());
    this.on(byId<HTMLButtonElement>("leave-button"), () => room.disconnect());
    const dialog = byId<HTMLDialogElement>("settings-dialog");
    this.on(byId<HTMLButtonElement>("settings-button"), async () => {
      dialog.showModal();
      await this.refresh();
    });
    void this.prepareDevices();
  }

  close(): void {
    this.listeners.abort();
    byId<HTMLDialogElement>("settings-dialog").close();
  }

  setMicrophone(on: boolean): Promise<void> {
    return this.attempt("microphone", () => this.room.localParticipant.setMicrophoneEnabled(on));
  }

  setCamera(on: boolean): Promise<void> {
    return this.attempt("camera", () => this.room.localParticipant.setCameraEnabled(on));
  }

  /** Buttons as livekit-client's state and the permissions are now. */
  sync(): void {
    const local = this.room.localParticipant;
    const devices = devicesAvailable();
    this.show(this.microphone, "microphone", local.isMicrophoneEnabled, devices && this.member.may("canPublishAudio"));
    this.show(this.camera, "camera", local.isCameraEnabled, devices && this.member.may("canPublishVideo"));
    const shareable = devices && "getDisplayMedia" in navigator.mediaDevices;
    this.show(this.screen, "screen", local.isScreenShareEnabled, shareable && this.member.may("canShareScreen"));
    byId("device-choices").hidden = !devices;
    byId("settings-button").hidden = !devices && byId("recording-choices").hidden;
    this.sound.hidden = this.room.canPlaybackAudio;
    const count = this.room.remoteParticipants.size + 1;
    byId("people-count").textContent = String(count);
    byId("people-button").title = count === 1 ? "You are alone here" : `${count} people`;
    byId("alone").hidden = count > 1;
  }

  private refresh: () => Promise<void> = async () => undefined;

  private async prepareDevices(): Promise<void> {
    this.refresh = await bindSelects("meeting", (kind, id) => {
      void this.attempt("device", () => this.room.switchActiveDevice(kind, id));
    });
  }

  private async setScreen(on: boolean): Promise<void> {
    try {
      await this.room.localParticipant.setScreenShareEnabled(on, { audio: true, contentHint: "detail" });
    } catch (error) {
      // Closing the browser's own picker is an answer, not an error.
      if (!(error instanceof DOMException && error.name === "NotAllowedError")) toast("The screen cannot be shared.", "error");
    }
    this.sync();
  }

  private async attempt(what: string, action: () => Promise<unknown>): Promise<void> {
    try {
      await action();
    } catch {
      toast(`The ${what} cannot be used. Check the browser's permissions.`, "error");
    }
    this.sync();
  }

  private on(button: HTMLButtonElement, action: () => Promise<void>): void {
    button.addEventListener("click", () => void action(), { signal: this.listeners.signal });
  }

  private show(button: HTMLButtonElement, what: string, on: boolean, allowed: boolean): void {
    button.hidden = !allowed;
    button.setAttribute("aria-pressed", String(on));
    const words: Record<string, [string, string]> = {
      microphone: ["Mute", "Unmute"],
      camera: ["Stop camera", "Start camera"],
      screen: ["Stop sharing", "Share screen"],
    };
    const text = words[what]?.[on ? 0 : 1] ?? what;
    button.title = text;
    const label = button.querySelector(".label");
    if (label) label.textContent = text;
  }
}
