/** Secrets arrive in the address, move into this tab's session storage, and leave the address bar at once. */

/** The secret under `parameter` of the current address, or the one this tab kept for the same `subject` (an id). */
export function takeSecret(parameter: string, subject: string): string | undefined {
  const key = `meet:${parameter}:${subject}`;
  const url = new URL(location.href);
  const given = url.searchParams.get(parameter);
  if (given !== null) {
    url.searchParams.delete(parameter);
    history.replaceState(history.state, "", url.pathname + url.search + url.hash);
  }
  if (given) sessionStorage.setItem(key, given);
  return given || sessionStorage.getItem(key) || undefined;
}
