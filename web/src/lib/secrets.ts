/** Secrets arrive in the address, move into this tab's session storage, and leave the address bar at once. */
import { keeps, ofTab } from "./storage";

/** The secret under `parameter` of the current address, or the one this tab kept for the same `subject` (an id). */
export function takeSecret(parameter: string, subject: string): string | undefined {
  const key = `meet:${parameter}:${subject}`;
  const url = new URL(location.href);
  const given = url.searchParams.get(parameter);
  if (given !== null && keeps) {
    url.searchParams.delete(parameter);
    history.replaceState(history.state, "", url.pathname + url.search + url.hash);
  }
  if (given) ofTab.setItem(key, given);
  return given || ofTab.getItem(key) || undefined;
}

/** The address of another page about this room, with the room's secret where this tab cannot keep it. */
export function withSecret(address: string, roomId: string, settings: Readonly<Record<string, string>> = {}): string {
  const query = new URLSearchParams(settings);
  const secret = keeps ? null : ofTab.getItem(`meet:secret:${roomId}`);
  if (secret) query.set("secret", secret);
  return query.size ? `${address}?${query}` : address;
}
