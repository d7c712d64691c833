/**
 * What the browser keeps for this origin. A page framed by another site may be denied it (blocked third-party cookies,
 * a private window): then it is kept for as long as the page is open.
 */
type Keeper = Pick<Storage, "getItem" | "setItem" | "removeItem">;

class Memory implements Keeper {
  private readonly values = new Map<string, string>();
  getItem = (key: string): string | null => this.values.get(key) ?? null;
  setItem = (key: string, value: string): void => void this.values.set(key, value);
  removeItem = (key: string): void => void this.values.delete(key);
}

function granted(name: "localStorage" | "sessionStorage"): Storage | undefined {
  try {
    return window[name];
  } catch {
    return undefined;
  }
}

const session = granted("sessionStorage");

/** Whether this tab's next page finds what this one kept. */
export const keeps = session !== undefined;
export const ofTab: Keeper = session ?? new Memory();
export const ofBrowser: Keeper = granted("localStorage") ?? new Memory();
