/** The theme an administrator chose, put over the pages' own colours. Without one they follow the system. */
import type { Theme } from "../api/settings";
import { theme } from "../api/settings";
import { quietly } from "../api/caller";
import { ApiError, request } from "./http";
import { ofTab } from "./storage";

const VARIABLES: readonly [keyof Theme, string][] = [
  ["backgroundColor", "--ground"],
  ["surfaceColor", "--surface"],
  ["primaryColor", "--accent"],
  ["primaryColor", "--accent-strong"],
  ["accentColor", "--ring"],
];
const KEPT = "meet:theme";

/** WCAG's relative luminance of `#rrggbb`, 0 to 1. */
export function luminance(hex: string): number {
  const parts = [1, 3, 5].map((start) => Number.parseInt(hex.slice(start, start + 2), 16) / 255);
  const [red = 0, green = 0, blue = 0] = parts.map((part) => (part <= 0.04045 ? part / 12.92 : ((part + 0.055) / 1.055) ** 2.4));
  return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
}

/** Black or white, whichever is easier to read on `hex`. */
export const textOn = (hex: string): string => (luminance(hex) > 0.179 ? "#000000" : "#ffffff");

export function applyTheme(wanted: Theme | undefined): void {
  const root = document.documentElement;
  for (const [, variable] of VARIABLES) root.style.removeProperty(variable);
  root.style.removeProperty("--on-accent");
  delete root.dataset["theme"];
  if (!wanted?.enabled) return ofTab.removeItem(KEPT);
  root.dataset["theme"] = wanted.baseTheme;
  for (const [name, variable] of VARIABLES) {
    const colour = wanted[name];
    if (typeof colour === "string") root.style.setProperty(variable, colour);
  }
  if (wanted.primaryColor) root.style.setProperty("--on-accent", textOn(wanted.primaryColor));
  ofTab.setItem(KEPT, JSON.stringify(wanted));
}

/** The last known theme at once, so that nothing flickers, then the one the server has now. */
export async function wearTheme(): Promise<void> {
  const kept = ofTab.getItem(KEPT);
  if (kept) applyTheme(JSON.parse(kept) as Theme);
  try {
    applyTheme(await theme(quietly(request)));
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // offline or limited: the page's own colours do as well
  }
}
