/** Waiting until there are fewer requests from this network, and saying so for as long as it takes. */
import { byId, el } from "./dom";

let waiting = 0;
let note: HTMLElement | undefined;

export async function waitOut(seconds: number): Promise<void> {
  waiting += 1;
  if (!note) {
    const text = `Many people are using this server from your network at the moment. This page goes on by itself in about ${Math.ceil(seconds)} seconds.`;
    note = el("p", { class: "toast toast-info", "data-testid": "waiting" }, text);
    byId("toasts").append(note);
  }
  await new Promise((resolve) => window.setTimeout(resolve, seconds * 1000));
  waiting -= 1;
  if (waiting) return;
  note?.remove();
  note = undefined;
}
