/** The page before the meeting: name, preview, devices. Resolves with what the person chose. */
import { getMember } from "../api/members";
import { currentUser } from "../api/users";
import { busy, byId } from "../lib/dom";
import { ApiError } from "../lib/http";
import type { Member } from "../lib/member";
import { asUser } from "../lib/session";
import { ofBrowser } from "../lib/storage";
import { bindSelects, devicesAvailable } from "./devices";
import { Preview } from "./preview";

const NAME = "meet:name";

export interface Choice {
  readonly name: string;
  readonly camera: boolean;
  readonly microphone: boolean;
}

const REASONS: Readonly<Record<string, string>> = {
  NotAllowedError: "is blocked by the browser. Allow it in the address bar to use it.",
  NotFoundError: "was not found.",
  NotReadableError: "is in use by another program.",
};

/** Wire the lobby. `join` is called for each attempt; when it throws, the lobby stays usable. */
export async function openLobby(member: Member, join: (choice: Choice) => Promise<void>, preset?: string | null): Promise<void> {
  const name = byId<HTMLInputElement>("join-name");
  name.value = preset ?? (await knownName(member)) ?? ofBrowser.getItem(NAME) ?? "";
  const note = byId("lobby-note");
  const preview = new Preview((kind, reason) => {
    const device = kind === "video" ? "The camera" : "The microphone";
    note.textContent = `${device} ${REASONS[reason] ?? "cannot be used."}`;
  });
  const camera = toggle("lobby-camera", "Camera", member.may("canPublishVideo"));
  const microphone = toggle("lobby-microphone", "Microphone", member.may("canPublishAudio"));
  byId("join-form").addEventListener("submit", (event) => {
    event.preventDefault();
    name.value = name.value.trim();
    if (!name.reportValidity()) return;
    ofBrowser.setItem(NAME, name.value);
    void busy(byId<HTMLButtonElement>("join-button"), async () => {
      const choice = { name: name.value, camera: camera.on(), microphone: microphone.on() };
      preview.closeAll();
      await join(choice);
    });
  });
  await startDevices(preview, note, camera, microphone);
}

/** The name under which the room knows this person, if it does. */
async function knownName(member: Member): Promise<string | undefined> {
  const { memberId, userId } = member.claims ?? {};
  try {
    if (memberId) return (await getMember(member.request.bind(member), member.roomId, memberId)).name;
    if (userId) return (await currentUser(asUser)).name;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error; // then they type it
  }
  return undefined;
}

async function startDevices(preview: Preview, note: HTMLElement, camera: Toggle, microphone: Toggle): Promise<void> {
  if (!devicesAvailable()) {
    camera.disable();
    microphone.disable();
    note.textContent = "Browsers allow camera and microphone over HTTPS only. You can join and watch.";
    byId("lobby-devices").hidden = true;
    return;
  }
  const refresh = await bindSelects("lobby", (kind) => {
    if (kind === "videoinput" && camera.on()) void preview.open("video");
    if (kind === "audioinput" && microphone.on()) void preview.open("audio");
  });
  const follow = async (which: Toggle, kind: "video" | "audio"): Promise<void> => {
    if (!which.on()) preview.close(kind);
    else if (!(await preview.open(kind))) which.set(false);
    byId("preview").dataset["camera"] = String(camera.on());
  };
  camera.onChange = () => void follow(camera, "video");
  microphone.onChange = () => void follow(microphone, "audio");
  await Promise.all([follow(camera, "video"), follow(microphone, "audio")]);
  await refresh(); // names of devices are only given once one of them was allowed
}

interface Toggle {
  on(): boolean;
  set(on: boolean): void;
  disable(): void;
  onChange: () => void;
}

function toggle(id: string, label: string, allowed: boolean): Toggle {
  const button = byId<HTMLButtonElement>(id);
  let on = false;
  const self: Toggle = {
    on: () => on,
    set(value) {
      on = value;
      button.setAttribute("aria-pressed", String(on));
      button.title = `${label} ${on ? "on" : "off"}`;
    },
    disable() {
      self.set(false);
      button.disabled = true;
    },
    onChange: () => undefined,
  };
  self.set(allowed);
  if (!allowed) self.disable();
  button.addEventListener("click", () => {
    self.set(!on);
    self.onChange();
  });
  return self;
}
