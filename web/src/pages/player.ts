/** `/recording/{id}`: watch, or listen to, and download one recording. */
import { getRecording, mediaPath, playlistPath, streamPath } from "../api/recordings";
import type { Caller } from "../api/caller";
import { offerClosing } from "../embed/host";
import { config } from "../lib/config";
import { byId, el, showView } from "../lib/dom";
import { bytes, clock, when } from "../lib/format";
import { ApiError, address, request } from "../lib/http";
import { Member } from "../lib/member";
import { recordingProblem, showProblem, showText } from "../lib/problems";
import { takeSecret } from "../lib/secrets";
import { accessToken, asUser } from "../lib/session";
import { wearTheme } from "../lib/theme";
import { hasMedia, isSound } from "../lib/types";
import type { Recording } from "../lib/types";

const recordingId = config.recordingId ?? "";
const WAIT_MS = 2000;

interface Way {
  readonly caller: Caller;
  readonly secret: string | undefined;
  /** Credentials for the player and the download link, which cannot set headers. */
  readonly query: () => Record<string, string>;
}

const userQuery = (): Record<string, string> => ({ accessToken: accessToken() ?? "" });

/** The credentials this tab has, most specific first: the link's secret, the room's secret, the signed-in user. */
async function way(): Promise<{ way: Way; recording: Recording }> {
  const secret = takeSecret("recordingSecret", recordingId);
  const open = async (candidate: Way): Promise<{ way: Way; recording: Recording }> => ({
    way: candidate,
    recording: await getRecording(candidate.caller, recordingId, candidate.secret),
  });
  if (secret) {
    try {
      return await open({ caller: request, secret, query: () => ({ recordingSecret: secret }) });
    } catch (error) {
      // A private link asks for a signed-in user as well.
      if (!(error instanceof ApiError) || error.status !== 401 || !accessToken()) throw error;
      return open({ caller: asUser, secret, query: () => ({ recordingSecret: secret, ...userQuery() }) });
    }
  }
  const roomId = recordingId.split("--")[0] ?? "";
  const roomSecret = takeSecret("secret", roomId);
  if (roomSecret) {
    const member = new Member(roomId, roomSecret);
    await member.enter();
    return open({ caller: member.request.bind(member), secret: undefined, query: () => member.query });
  }
  return open({ caller: asUser, secret: undefined, query: userQuery });
}

function show(recording: Recording, query: Record<string, string>): void {
  const title = recording.roomName ?? "Recording";
  document.title = `${title} · Meet`;
  byId("recording-title").textContent = title;
  const facts = [
    recording.startDate ? when(recording.startDate) : "",
    recording.duration ? clock(recording.duration) : "",
    recording.size ? bytes(recording.size) : "",
  ];
  byId("recording-facts").textContent = facts.filter(Boolean).join(" · ");
  const file = address("api/v1", mediaPath(recordingId), query);
  const download = byId<HTMLAnchorElement>("download-link");
  download.href = file;
  download.download = recording.filename ?? "recording.mp4";
  const ways = download.download.endsWith(".webm") ? [] : fragments(query);
  play(player(recording), [...ways, file]);
  showView("player");
}

const HLS = "application/vnd.apple.mpegurl";

/**
 * Where this browser finds the recording's fragments. A file of hours has an index of megabytes, which has to be there
 * before the first picture; the fragments' own is small. WebKit and Firefox read such streams from front to back; for
 * WebKit there is HLS, which Apple's browsers play and most builds of WebKitGTK do not.
 */
function fragments(query: Record<string, string>): string[] {
  if (navigator.vendor.startsWith("Google")) return [address("api/extra/v1", streamPath(recordingId), query)];
  const listed = navigator.vendor.startsWith("Apple") && document.createElement("video").canPlayType(HLS);
  return listed ? [address("api/extra/v1", playlistPath(recordingId), query)] : [];
}

/** The page's `<video>`, or an `<audio>` in its place: a black box says nothing. */
function player(recording: Recording): HTMLMediaElement {
  const video = byId<HTMLVideoElement>("player");
  if (!isSound(recording)) return video;
  const names = { id: "player", "data-testid": "player", "aria-labelledby": "recording-title" };
  const audio = el("audio", { ...names, controls: true, preload: "metadata" });
  video.replaceWith(audio);
  return audio;
}

/** The first of these that plays: an old recording has no fragments, nor has one with VP8, whatever its name. */
function play(player: HTMLMediaElement, sources: string[]): void {
  const next = (): void => {
    const source = sources.shift();
    const [at, playing] = [player.currentTime, player.played.length > 0 && !player.paused];
    if (!source) explain(player);
    else {
      player.src = source;
      // One that failed halfway goes on from there. A browser that wants a click first says no, and shows its button.
      if (at > 0) player.currentTime = at;
      if (playing) player.play().catch(() => undefined);
    }
  };
  player.addEventListener("error", next);
  next();
}

/** None of them did: because of the browser, or of the way there, as the page's own words have it. */
function explain(player: HTMLMediaElement): void {
  const words = byId("player-error");
  const damaged = player.error?.code === MediaError.MEDIA_ERR_DECODE;
  if (damaged || !player.canPlayType('video/mp4; codecs="avc1.4d401f, mp4a.40.2"')) {
    words.textContent = "This browser cannot play this recording. Download it, or open this page in another browser.";
  }
  words.hidden = false;
}

async function main(): Promise<void> {
  try {
    const found = await way();
    let { recording } = found;
    while (["starting", "active", "ending"].includes(recording.status)) {
      byId("waiting-text").textContent =
        recording.status === "ending" ? "The recording is being saved." : "The meeting is still being recorded.";
      showView("waiting");
      await new Promise((resolve) => window.setTimeout(resolve, WAIT_MS));
      recording = await getRecording(found.way.caller, recordingId, found.way.secret);
    }
    if (!hasMedia(recording)) {
      showText({ title: "No video", text: "This recording failed, so there is nothing to play." });
      return;
    }
    show(recording, found.way.query());
  } catch (error) {
    showProblem(error, recordingProblem);
  }
}

void wearTheme();
offerClosing(byId("close-button"));
void main();
