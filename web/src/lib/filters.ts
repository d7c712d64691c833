/** Search fields and filters above a list. */
import { announce, byId } from "./dom";

const PAUSE_MS = 250;

/** Call `changed` after typing pauses in a search field, or at once when a `<select>` changes. Tells the result. */
export function onFilter(ids: readonly string[], changed: () => Promise<void>, found: () => number): void {
  let timer = 0;
  const run = async (): Promise<void> => {
    await changed();
    const count = found();
    announce(count === 1 ? "1 result." : `${count} results.`);
  };
  for (const id of ids) {
    const control = byId<HTMLInputElement | HTMLSelectElement>(id);
    const pause = control instanceof HTMLSelectElement ? 0 : PAUSE_MS;
    control.addEventListener("input", () => {
      window.clearTimeout(timer);
      timer = window.setTimeout(() => void run(), pause);
    });
  }
}

export const value = (id: string): string => byId<HTMLInputElement | HTMLSelectElement>(id).value.trim();
