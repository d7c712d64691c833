/** Sharing a recording: make a link for some people and some time, take back those that were made. */
import { createLink, links, revokeLink, type ShareLink } from "../api/sharing";
import type { Caller } from "../api/caller";
import { copy } from "./clipboard";
import { ask } from "./dialog";
import { announce, busy, el, field, select, toast } from "./dom";
import { when } from "./format";
import { sentence } from "./forms";
import { ApiError } from "./http";
import type { Recording } from "./types";

const PEOPLE = { public: "Anyone with the link", private: "People with an account here" };
const TIMES = { "0": "Until it is revoked", "1": "One day", "7": "One week", "30": "30 days" };
const DAY_MS = 86_400_000;

/** Ask who may watch and how long; the new link ends up in the clipboard. */
export async function shareRecording(caller: Caller, recording: Recording): Promise<void> {
  const { recordingId } = recording;
  const people = select(PEOPLE, "public", { "data-testid": "share-people" });
  const time = select(TIMES, "7", { "data-testid": "share-time" });
  const body = [el("div", { class: "fields" }, field("Who may watch", people), field("How long", time)), ...(await present(caller, recordingId))];
  const title = `Share the recording of ${recording.roomName ?? recording.roomId}`;
  if ((await ask({ title, body, choices: [{ label: "Copy new link", value: "copy", kind: "primary" }] })) === undefined) return;
  const days = Number(time.value);
  const until = days ? { expiresAt: Date.now() + days * DAY_MS } : {};
  const made = await createLink(caller, recordingId, { privateAccess: people.value === "private", ...until });
  await copy(made.url, "Link copied");
}

/** The links there are, for those who may see them. */
async function present(caller: Caller, recordingId: string): Promise<HTMLElement[]> {
  let made: readonly ShareLink[];
  try {
    made = await links(caller, recordingId);
  } catch (error) {
    if (error instanceof ApiError && error.status === 403) return [];
    throw error;
  }
  if (made.length === 0) return [];
  const rows = made.map((one) => linkItem(caller, recordingId, one));
  return [el("h3", {}, "Links in use"), el("ul", { class: "settings" }, ...rows)];
}

function linkItem(caller: Caller, recordingId: string, one: ShareLink): HTMLLIElement {
  const who = PEOPLE[one.privateAccess ? "private" : "public"];
  const until = one.expired ? "expired" : one.expiresAt ? `until ${when(one.expiresAt)}` : "until it is revoked";
  const text = el("span", { class: "switch-text grow" }, who, el("span", { class: "hint" }, `Made ${when(one.creationDate)}, ${until}`));
  const button = el("button", { type: "button", class: "small danger", "data-testid": "share-revoke", "aria-label": `Revoke the link made ${when(one.creationDate)}` }, "Revoke");
  const item = el("li", { class: "setting", "data-testid": "share-link" }, text, button);
  const act = async (): Promise<void> => {
    try {
      await revokeLink(caller, recordingId, one.linkId);
    } catch (error) {
      if (!(error instanceof ApiError)) throw error;
      return toast(sentence(error.message), "error");
    }
    item.closest("form")?.querySelector<HTMLElement>("button")?.focus();
    item.remove();
    announce("The link opens nothing any more.");
  };
  button.addEventListener("click", () => void busy(button, act));
  return item;
}
