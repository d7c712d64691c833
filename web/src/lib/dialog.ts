/** Modal questions on the browser's own `<dialog>`: it traps the focus, closes on Escape and gives the focus back. */
import { byId, el } from "./dom";

export interface Choice {
  readonly label: string;
  readonly value: string;
  readonly kind?: "primary" | "danger-fill";
}

export interface Question {
  readonly title: string;
  readonly text?: string;
  /** Fields above the buttons; they must be valid before a choice other than cancelling counts. */
  readonly body?: readonly Node[];
  readonly choices: readonly Choice[];
  /** Label of the button that changes nothing. */
  readonly cancel?: string;
}

let count = 0;

/** Ask; the value of the choice, or undefined when the question was closed. */
export function ask(question: Question): Promise<string | undefined> {
  count += 1;
  const id = `dialog-${count}`;
  const title = el("h2", { id }, question.title);
  const cancel = el("button", { type: "button" }, question.cancel ?? "Cancel");
  const buttons = question.choices.map((choice) =>
    el("button", { value: choice.value, class: choice.kind ?? "", "data-testid": `choose-${choice.value}` }, choice.label),
  );
  const form = el("form", { method: "dialog" }, title);
  if (question.text) form.append(el("p", { class: "muted", id: `${id}-text` }, question.text));
  form.append(...(question.body ?? []), el("div", { class: "actions end" }, cancel, ...buttons));
  const describedBy = question.text ? { "aria-describedby": `${id}-text` } : {};
  const dialog = el("dialog", { class: "card", "aria-labelledby": id, ...describedBy, "data-testid": "dialog" }, form);
  cancel.addEventListener("click", () => dialog.close(""));
  byId("main").append(dialog);
  return new Promise((resolve) => {
    dialog.addEventListener("close", () => {
      dialog.remove();
      resolve(dialog.returnValue || undefined);
    });
    dialog.showModal();
    // What destroys is never what Enter does first.
    const first = form.querySelector<HTMLElement>("input:not([type=hidden]), select") ?? (buttons[0]?.className === "primary" ? buttons[0] : cancel);
    first.focus();
    if (first instanceof HTMLInputElement) first.select();
  });
}

/** Yes or no to something that cannot be undone. */
export async function confirmed(title: string, text: string, action: string): Promise<boolean> {
  return (await ask({ title, text, choices: [{ label: action, value: "yes", kind: "danger-fill" }] })) === "yes";
}

/** Show a text to be copied by hand. */
export async function showText(title: string, text: string): Promise<void> {
  const input = el("input", { readonly: true, value: text, "aria-label": title });
  await ask({ title, body: [input], choices: [], cancel: "Close" });
}
