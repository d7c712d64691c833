/** A list of recordings with paging, filled into `#recordings`. */
import { listRecordings } from "./api";
import { announce, busy, byId } from "./dom";
import { recordingItem, type ItemOptions } from "./recording_item";

/** Show all recordings the caller may see, of one room when `roomId` is given. Throws ApiError. */
export async function showRecordings(options: Omit<ItemOptions, "removed">, roomId?: string): Promise<void> {
  const list = byId("recordings");
  const more = byId<HTMLButtonElement>("recordings-more");
  const empty = byId("recordings-empty");
  let next: string | undefined;
  const settle = (): void => {
    empty.hidden = list.childElementCount > 0;
    more.hidden = next === undefined;
  };
  const load = async (): Promise<void> => {
    const query = { maxItems: 20, ...(roomId ? { roomId } : {}), ...(next ? { nextPageToken: next } : {}) };
    const page = await listRecordings(options.caller, query);
    for (const recording of page.items) {
      const item = recordingItem(recording, {
        ...options,
        removed: () => {
          item.remove();
          announce("Recording deleted.");
          settle();
        },
      });
      list.append(item);
    }
    next = page.next;
    settle();
  };
  list.replaceChildren();
  more.onclick = () => void busy(more, load);
  await load();
}
