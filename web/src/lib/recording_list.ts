/** Lists of recordings: of everything the caller may see, or of one room; with a bar for several at once. */
import { deleteRecording, listRecordings, zipAddress } from "../api/recordings";
import type { Query } from "../api/caller";
import { confirmed } from "./dialog";
import { announce, byId, el, toast } from "./dom";
import { sentence } from "./forms";
import { ApiError } from "./http";
import { PagedList } from "./paged_list";
import { recordingItem, type ItemOptions } from "./recording_item";
import type { Recording } from "./types";

export interface ListOptions extends Omit<ItemOptions, "removed"> {
  /** Filters, asked at every load. */
  readonly filter: () => Query;
  readonly guarded: (action: () => Promise<void>) => Promise<void>;
}

export function recordingList(options: ListOptions): PagedList<Recording> {
  const { guarded } = options;
  const list: PagedList<Recording> = new PagedList<Recording>(
    "recordings",
    {
      load: (nextPageToken) => listRecordings(options.caller, { maxItems: 20, nextPageToken, ...options.filter() }),
      item: (recording) => {
        const item = recordingItem(recording, { ...options, removed: () => list.remove(item, "Recording deleted.") });
        return item;
      },
      changed: () => bar(options),
    },
    guarded,
  );
  byId("recordings").addEventListener("change", () => bar(options));
  byId("selection-zip").addEventListener("click", () => {
    el("a", { href: zipAddress(selected().map(idOf), options.query()), download: "recordings.zip" }).click();
  });
  byId("selection-delete").addEventListener("click", () => void guarded(() => deleteSelected(options, list)));
  return list;
}

const selected = (): HTMLLIElement[] => [...byId("recordings").querySelectorAll<HTMLLIElement>("li:has(input[type=checkbox]:checked)")];

const idOf = (item: HTMLElement): string => item.dataset["recordingId"] ?? "";

/** Shown while something is selected. */
function bar({ mayDelete }: ListOptions): void {
  const items = selected();
  byId("selection").hidden = items.length === 0;
  byId("selection-count").textContent = items.length === 1 ? "1 selected" : `${items.length} selected`;
  byId("selection-delete").hidden = !mayDelete;
  byId("selection-zip").hidden = items.some((item) => item.dataset["status"] !== "complete");
}

async function deleteSelected({ caller }: ListOptions, list: PagedList<Recording>): Promise<void> {
  const items = selected();
  const title = items.length === 1 ? "Delete this recording?" : `Delete ${items.length} recordings?`;
  if (!(await confirmed(title, "What was recorded is gone for good.", "Delete"))) return;
  for (const item of items) {
    try {
      await deleteRecording(caller, idOf(item));
      list.remove(item, "Recording deleted.");
    } catch (error) {
      if (!(error instanceof ApiError) || error.status === 401) throw error;
      toast(sentence(error.message), "error");
    }
  }
  announce("Done.");
}
