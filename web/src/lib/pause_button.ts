/** In a list of recordings: pause one that is running, or let it go on. */
import { inspectRecording, setPaused } from "../api/recordings";
import type { Caller } from "../api/caller";
import { announce, busy, el, icon, toast } from "./dom";
import { sentence } from "./forms";
import { ApiError } from "./http";
import type { KnownRecording, Recording } from "./types";

/** Hidden until it is known that the recording can be paused. `show` is told what it is, now and after each change. */
export function pauseButton(recording: Recording, caller: Caller, show: (paused: boolean) => void): HTMLButtonElement {
  const name = recording.roomName ?? recording.roomId;
  const button = el("button", { type: "button", class: "small", "data-testid": "recording-pause", hidden: true });
  let paused = false;
  const accept = (known: KnownRecording): void => {
    paused = known.paused;
    const word = paused ? "Resume" : "Pause";
    button.replaceChildren(icon(paused ? "play" : "pause"), word);
    button.setAttribute("aria-label", `${word} the recording of ${name}`);
    button.hidden = known.compose === undefined || known.status !== "active";
    show(paused);
  };
  const press = async (): Promise<void> => {
    try {
      accept(await setPaused(caller, recording.recordingId, !paused));
      announce(paused ? "The recording is paused." : "The recording goes on.");
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      toast(sentence(error.message), "error");
    }
  };
  button.addEventListener("click", () => void busy(button, press));
  const ask = async (): Promise<void> => {
    try {
      accept(await inspectRecording(caller, recording.recordingId));
    } catch (error) {
      // It stays hidden: whatever is wrong, nothing can be paused now.
      if (!(error instanceof ApiError)) throw error;
    }
  };
  void ask();
  return button;
}
