/** `/`: a field for a room link, the sign-in, and the console. */
import { createRoom, listRooms } from "../lib/api";
import { link } from "../lib/config";
import { announce, busy, byId, showView, toast } from "../lib/dom";
import { ApiError } from "../lib/http";
import { roomItem } from "../lib/room_item";
import { showRecordings } from "../lib/recording_list";
import { accessToken, asUser, changePassword, signIn, signOut, takeReturn } from "../lib/session";

function onSubmit(id: string, action: () => Promise<void>): void {
  const form = byId<HTMLFormElement>(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector<HTMLButtonElement>("[type=submit]");
    if (button) void busy(button, action);
  });
}

/** Where a pasted room link leads: only to pages of this origin; a bare room id is fine too. */
function target(text: string): string | undefined {
  const pasted = text.trim();
  if (/^[\w-]+$/.test(pasted)) return link(`room/${pasted}`);
  try {
    const url = new URL(pasted, location.origin);
    return url.origin === location.origin && /\/(room|recording)\//.test(url.pathname) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

function bindJoin(): void {
  const input = byId<HTMLInputElement>("room-link");
  input.addEventListener("input", () => input.setCustomValidity(""));
  byId("open-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const address = target(input.value);
    if (address) return location.assign(address);
    input.setCustomValidity("This is not a room link of this server.");
    input.reportValidity();
  });
}

function bindSignIn(): void {
  const user = byId<HTMLInputElement>("sign-in-user");
  const password = byId<HTMLInputElement>("sign-in-password");
  const failed = (id: string, error: unknown): void => {
    if (!(error instanceof ApiError)) throw error;
    byId(id).textContent = error.status === 404 ? "User id or password is wrong." : `${error.message.replace(/\.$/, "")}.`;
  };
  onSubmit("sign-in-form", async () => {
    try {
      byId("sign-in-error").textContent = "";
      const mustChange = await signIn(user.value.trim(), password.value);
      if (mustChange) return showView("password");
      password.value = "";
      await enter();
    } catch (error) {
      failed("sign-in-error", error);
    }
  });
  onSubmit("password-form", async () => {
    try {
      await changePassword(password.value, byId<HTMLInputElement>("new-password").value);
      password.value = "";
      await enter();
    } catch (error) {
      failed("password-error", error);
    }
  });
}

async function enter(): Promise<void> {
  const back = takeReturn();
  if (back) return location.assign(back);
  await openConsole();
}

let nextRooms: string | undefined;

async function loadRooms(fresh: boolean): Promise<void> {
  const list = byId("rooms");
  const page = await listRooms(asUser, fresh ? undefined : nextRooms);
  if (fresh) list.replaceChildren();
  for (const room of page.items) {
    const item = roomItem(room, asUser, () => {
      announce(`Room ${room.roomName} deleted.`);
      void loadRooms(true);
    });
    list.append(item);
  }
  nextRooms = page.next;
  byId("rooms-more").hidden = nextRooms === undefined;
  byId("rooms-empty").hidden = list.childElementCount > 0;
}

const userQuery = (): Record<string, string> => ({ accessToken: accessToken() ?? "" });

function select(tab: "rooms" | "recordings"): void {
  for (const name of ["rooms", "recordings"] as const) {
    byId(`tab-${name}`).setAttribute("aria-selected", String(name === tab));
    byId(`tab-${name}`).tabIndex = name === tab ? 0 : -1;
    byId(`panel-${name}`).hidden = name !== tab;
  }
  if (tab === "recordings") void guarded(() => showRecordings({ caller: asUser, mayDelete: true, query: userQuery }));
}

/** Console actions: a lost session leads back to the sign-in, any other refusal is shown. */
async function guarded(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401 || error.message.includes("Password change required")) leave();
    else toast(error.message, "error");
  }
}

async function openConsole(): Promise<void> {
  await guarded(async () => {
    const me = await asUser<{ name?: string; userId: string }>("GET", "internal-api/v1", "/users/me");
    byId("user-name").textContent = me.name ?? me.userId;
    byId("account").hidden = false;
    await loadRooms(true);
    showView("console");
  });
}

function leave(): void {
  signOut();
  byId("account").hidden = true;
  showView("welcome");
}

function bindConsole(): void {
  byId("sign-out").addEventListener("click", leave);
  const more = byId<HTMLButtonElement>("rooms-more");
  more.addEventListener("click", () => void busy(more, () => guarded(() => loadRooms(false))));
  onSubmit("create-form", () =>
    guarded(async () => {
      const input = byId<HTMLInputElement>("new-room");
      const room = await createRoom(asUser, input.value.trim());
      input.value = "";
      announce(`Room ${room.roomName} created.`);
      await loadRooms(true);
    }),
  );
  for (const name of ["rooms", "recordings"] as const) {
    byId(`tab-${name}`).addEventListener("click", () => select(name));
    byId(`tab-${name}`).addEventListener("keydown", (event) => {
      if (event.key !== "ArrowLeft" && event.key !== "ArrowRight") return;
      const other = name === "rooms" ? "recordings" : "rooms";
      select(other);
      byId(`tab-${other}`).focus();
    });
  }
}

bindJoin();
bindSignIn();
bindConsole();
if (accessToken()) void openConsole().then(() => document.body.dataset["shown"] ?? leave());
else showView("welcome");
if (location.hash === "#sign-in") byId("sign-in-user").focus();
