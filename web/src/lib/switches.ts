/** Settings that are on or off, saved the moment they change. */
import { guarded } from "./console";
import { announce, el } from "./dom";

export interface SwitchOptions {
  readonly label: string;
  readonly hint?: string;
  readonly on: boolean;
  readonly testid?: string;
  /** Stores the new value. When it throws, the switch goes back. */
  readonly save: (on: boolean) => Promise<void>;
}

export function switchRow({ label, hint, on, testid, save }: SwitchOptions): HTMLLabelElement {
  const input = el("input", { type: "checkbox", role: "switch", "data-testid": testid });
  input.checked = on;
  storeChecked(input, save);
  const text = el("span", { class: "switch-text" }, el("span", {}, label));
  if (hint) text.append(el("span", { class: "hint" }, hint));
  return el("label", { class: "switch-row" }, text, input);
}

/** Store a check box at every change. It keeps the focus; a change before the last one is stored does not count. */
export function storeChecked(input: HTMLInputElement, save: (on: boolean) => Promise<void>): void {
  let stored = input.checked;
  input.addEventListener("change", () => void guarded(() => keep(input, async () => {
    await save(input.checked);
    stored = input.checked;
  }, () => {
    input.checked = stored;
  })));
}

/** The same for a list of choices. */
export function storeChoice(control: HTMLSelectElement, save: (value: string) => Promise<void>): void {
  let stored = control.value;
  control.addEventListener("change", () => void guarded(() => keep(control, async () => {
    await save(control.value);
    stored = control.value;
  }, () => {
    control.value = stored;
  })));
}

async function keep(control: HTMLElement, save: () => Promise<void>, restore: () => void): Promise<void> {
  if (control.getAttribute("aria-busy")) return restore();
  control.setAttribute("aria-busy", "true");
  try {
    await save();
    announce("Saved.");
  } catch (error) {
    restore();
    throw error;
  } finally {
    control.removeAttribute("aria-busy");
  }
}
