/** Copying links. */
import { showText } from "./dialog";
import { el, icon, toast } from "./dom";

/** Copy; where the browser refuses (no HTTPS), show the text to be copied by hand. */
export async function copy(text: string, done: string): Promise<void> {
  try {
    await navigator.clipboard.writeText(text);
    toast(done);
  } catch {
    await showText("Copy this text", text);
  }
}

/** A button that copies `url`; `name` says whose link it is. */
export function copyButton(label: string, name: string, url: string, testid: string): HTMLButtonElement {
  const [, word = label, rest = ""] = /^(\S+)( link)$/.exec(label) ?? [];
  const text = rest ? [word, el("span", { class: "link-word" }, rest)] : [label]; // the icon says it on a phone
  const button = el("button", { type: "button", class: "small", "data-testid": testid }, icon("link"), el("span", {}, ...text));
  button.addEventListener("click", () => void copy(url, `${name} copied`));
  return button;
}
