/** The site around this page, if there is one: it hears what happens, says what it wants, and has set some things. */
import { isCommand, isOn, type CommandMessage, type CommandName, type EventName, type Events } from "./protocol";
import { redirect } from "./redirect";

type Orders = { readonly [N in CommandName]: (payload: unknown) => Promise<void> };

const settings = new URLSearchParams(location.search);

export const embedded = window.parent !== window;
// The way to the start page is not shown there (base.css): a site is not left through its frame.
document.documentElement.toggleAttribute("data-embedded", embedded);
export const participantName = settings.get("participant-name");
export const onlyRecordings = isOn(settings.get("show-only-recordings"));
export const recordingShown = settings.get("show-recording");

/** Nothing of it is secret, and whoever frames this page gave it the room's address. */
export function tell<N extends EventName>(event: N, payload: Events[N]): void {
  if (embedded) window.parent.postMessage({ event, payload }, "*");
}

/** The person is done with the meeting. False when there is nowhere to go from here. */
export function close(): boolean {
  tell("closed", {});
  return redirect(settings.get("leave-redirect-url"));
}

/** Show a button that says so to the site around; without one there is nothing to close. */
export function offerClosing(button: HTMLElement): void {
  button.hidden = !embedded;
  button.addEventListener("click", () => close());
}

/** Whether the site says what comes after a meeting. */
export const goesOn = settings.has("leave-redirect-url");

/** Do what the site around says, with the rights of whoever is in the meeting. */
export function obey(orders: Orders): void {
  if (!embedded) return;
  window.addEventListener("message", ({ source, data }: MessageEvent<unknown>) => {
    if (source !== window.parent || !isCommand(data)) return;
    const { command, payload }: CommandMessage = data;
    void orders[command](payload).catch((error: unknown) => console.error(`${command}:`, error));
  });
}
