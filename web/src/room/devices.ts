/** Cameras, microphones and speakers: choices, their `<select>` elements, and what was chosen last time. */
import { byId, el } from "../lib/dom";
import { ofBrowser } from "../lib/storage";

export type DeviceKind = "audioinput" | "videoinput" | "audiooutput";

const FALLBACK: Record<DeviceKind, string> = { audioinput: "Microphone", videoinput: "Camera", audiooutput: "Speaker" };

/** Browsers hand out devices to secure pages only (HTTPS, or this machine itself). */
export const devicesAvailable = (): boolean => navigator.mediaDevices !== undefined;

export const canChooseSpeaker = (): boolean => "setSinkId" in HTMLMediaElement.prototype;

const key = (kind: DeviceKind): string => `meet:device:${kind}`;

export const chosen = (kind: DeviceKind): string | undefined => ofBrowser.getItem(key(kind)) ?? undefined;

export const choose = (kind: DeviceKind, id: string): void => ofBrowser.setItem(key(kind), id);

/** What to ask `getUserMedia` or livekit-client for. */
export function wish(kind: DeviceKind): { deviceId?: string } {
  const id = chosen(kind);
  return id ? { deviceId: id } : {};
}

async function fill(select: HTMLSelectElement, kind: DeviceKind): Promise<void> {
  const devices = (await navigator.mediaDevices.enumerateDevices()).filter((device) => device.kind === kind);
  const options = devices.map((device, index) =>
    el("option", { value: device.deviceId }, device.label || `${FALLBACK[kind]} ${index + 1}`),
  );
  select.replaceChildren(...options);
  select.disabled = devices.length === 0;
  if (devices.length === 0) select.append(el("option", {}, `No ${FALLBACK[kind].toLowerCase()} found`));
  const wanted = chosen(kind);
  if (wanted && devices.some((device) => device.deviceId === wanted)) select.value = wanted;
}

/** Keep the three selects below `prefix` up to date; `changed` is called with every choice. */
export async function bindSelects(
  prefix: string,
  changed: (kind: DeviceKind, id: string) => void,
): Promise<() => Promise<void>> {
  const selects: [DeviceKind, HTMLSelectElement][] = [
    ["audioinput", byId<HTMLSelectElement>(`${prefix}-choose-microphone`)],
    ["videoinput", byId<HTMLSelectElement>(`${prefix}-choose-camera`)],
  ];
  const speaker = document.getElementById(`${prefix}-choose-speaker`);
  if (speaker instanceof HTMLSelectElement) {
    if (canChooseSpeaker()) selects.push(["audiooutput", speaker]);
    else speaker.closest("label")?.remove();
  }
  const refresh = async (): Promise<void> => {
    for (const [kind, select] of selects) await fill(select, kind);
  };
  if (!devicesAvailable()) return async () => undefined;
  for (const [kind, select] of selects) {
    select.addEventListener("change", () => {
      choose(kind, select.value);
      changed(kind, select.value);
    });
  }
  navigator.mediaDevices.addEventListener("devicechange", () => void refresh());
  await refresh();
  return refresh;
}
