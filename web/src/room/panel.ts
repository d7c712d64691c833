/** The panels beside the stage: one at a time, opened by their button, closed by Escape. */
import { byId } from "../lib/dom";

const panels: Panel[] = [];

export class Panel {
  readonly element: HTMLElement;
  readonly button: HTMLButtonElement;

  /** Uses `#<name>`, `#<name>-button` and `#<name>-close`. `opened` puts the focus where it belongs. */
  constructor(
    name: string,
    private readonly opened: () => void,
  ) {
    this.element = byId(name);
    this.button = byId<HTMLButtonElement>(`${name}-button`);
    this.button.addEventListener("click", () => (this.element.hidden ? this.open() : this.close()));
    byId(`${name}-close`).addEventListener("click", () => this.close());
    this.element.addEventListener("keydown", (event) => {
      if (event.key === "Escape") this.close();
    });
    panels.push(this);
  }

  get shown(): boolean {
    return !this.element.hidden;
  }

  open(): void {
    for (const other of panels) if (other !== this) other.hide();
    this.element.hidden = false;
    this.button.setAttribute("aria-expanded", "true");
    this.opened();
  }

  close(): void {
    this.hide();
    this.button.focus();
  }

  /** Without moving the focus. */
  hide(): void {
    this.element.hidden = true;
    this.button.setAttribute("aria-expanded", "false");
  }
}
