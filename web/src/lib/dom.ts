/** Small helpers over the DOM. Markup lives in the server's templates; scripts fill it and make list items. */

/** The element with this id. Throws when the page lacks it: template and script do not fit together. */
export function byId<T extends HTMLElement = HTMLElement>(id: string): T {
  const found = document.getElementById(id);
  if (!found) throw new Error(`the page has no #${id}`);
  return found as T;
}

type Attributes = Readonly<Record<string, string | boolean | undefined>>;

/** Make an element: `el("a", {href, class: "button"}, "text", child)`; false and undefined leave an attribute out. */
export function el<K extends keyof HTMLElementTagNameMap>(
  tag: K,
  attributes: Attributes = {},
  ...children: (Node | string)[]
): HTMLElementTagNameMap[K] {
  const node = document.createElement(tag);
  for (const [name, value] of Object.entries(attributes)) {
    if (value === true) node.setAttribute(name, "");
    else if (value !== undefined && value !== false) node.setAttribute(name, value);
  }
  node.append(...children);
  return node;
}

const SVG = "http://www.w3.org/2000/svg";

/** One of the page's icons (`<symbol id="i-name">`), hidden from assistive technology. */
export function icon(name: string): SVGSVGElement {
  const svg = document.createElementNS(SVG, "svg");
  svg.setAttribute("class", "icon");
  svg.setAttribute("aria-hidden", "true");
  const use = document.createElementNS(SVG, "use");
  use.setAttribute("href", `#i-${name}`);
  svg.append(use);
  return svg;
}

/** Show one of the page's `[data-view]` sections, hide the others, move the focus to its heading. */
export function showView(name: string): void {
  for (const section of document.querySelectorAll<HTMLElement>("[data-view]")) {
    section.hidden = section.dataset["view"] !== name;
  }
  document.body.dataset["shown"] = name;
  document.querySelector<HTMLElement>(`[data-view="${name}"] [tabindex="-1"]`)?.focus({ preventScroll: true });
}

/** Tell screen readers; the polite live region is part of every page. */
export function announce(text: string): void {
  const region = byId("announcer");
  region.append(el("p", {}, text));
  while (region.childElementCount > 5) region.firstElementChild?.remove();
}

const TOAST_MS = 5000;

/** A short visible notice that is read out as well. */
export function toast(text: string, kind: "info" | "error" = "info"): void {
  const note = el("p", { class: `toast toast-${kind}` }, text);
  byId("toasts").append(note);
  window.setTimeout(() => note.remove(), TOAST_MS);
}

/** Run an action with its button disabled meanwhile, so that it cannot be started twice. */
export async function busy(button: HTMLButtonElement, action: () => Promise<void>): Promise<void> {
  button.disabled = true;
  button.setAttribute("aria-busy", "true");
  try {
    await action();
  } finally {
    button.disabled = false;
    button.removeAttribute("aria-busy");
  }
}

/** A label around its control, the way all forms of the pages have it. */
export function field(label: string, control: HTMLElement, hint?: string): HTMLLabelElement {
  const node = el("label", { class: "field" }, label, control);
  if (hint) node.append(el("span", { class: "hint" }, hint));
  return node;
}

export function select(options: Readonly<Record<string, string>>, value: string, attributes: Attributes = {}): HTMLSelectElement {
  const node = el("select", attributes);
  for (const [key, label] of Object.entries(options)) node.append(el("option", { value: key }, label));
  node.value = value;
  return node;
}
