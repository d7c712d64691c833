/** Tiles: one per participant, one more per shared screen. They follow livekit-client's objects, nothing else. */
import { Track, type LocalParticipant, type Participant, type RemoteParticipant, type Room } from "livekit-client";
import { byId, el, icon } from "../lib/dom";
import { initials } from "../lib/format";
import { bestFit } from "./layout";

const GAP_PX = 10;
const NARROW_PX = 560;

interface Tile {
  readonly root: HTMLElement;
  readonly video: HTMLVideoElement;
  readonly label: HTMLElement;
  readonly avatar: HTMLElement;
  readonly muted: HTMLElement;
  track: Track | undefined;
}

export const displayName = (participant: Participant): string => participant.name || participant.identity;

/** Keeps the stage equal to the room: call `sync` after any event that concerns participants or tracks. */
export class Tiles {
  private readonly tiles = new Map<string, Tile>();
  private readonly audio = new Map<Track, HTMLMediaElement>();
  private readonly stage = byId("stage");

  constructor(private readonly room: Room) {
    new ResizeObserver(() => this.arrange()).observe(this.stage);
  }

  sync(): void {
    const wanted = new Map<string, [Participant, Track.Source]>();
    const everyone: (LocalParticipant | RemoteParticipant)[] = [
      this.room.localParticipant,
      ...this.room.remoteParticipants.values(),
    ];
    for (const participant of everyone) {
      if (participant.getTrackPublication(Track.Source.ScreenShare)) {
        wanted.set(`${participant.identity}/screen`, [participant, Track.Source.ScreenShare]);
      }
      wanted.set(`${participant.identity}/camera`, [participant, Track.Source.Camera]);
    }
    for (const [key, tile] of this.tiles) if (!wanted.has(key)) this.remove(key, tile);
    for (const [key, [participant, source]] of wanted) this.update(this.tile(key, participant, source), participant, source);
    this.playAudio();
    this.arrange();
  }

  /** Mark who is speaking. */
  speakers(): void {
    for (const tile of this.tiles.values()) {
      const participant = this.room.getParticipantByIdentity(tile.root.dataset["identity"] ?? "");
      tile.root.classList.toggle("speaking", participant?.isSpeaking === true && !tile.root.classList.contains("screen"));
    }
  }

  clear(): void {
    for (const [key, tile] of this.tiles) this.remove(key, tile);
    for (const [track, element] of this.audio) track.detach(element).remove();
    this.audio.clear();
  }

  private tile(key: string, participant: Participant, source: Track.Source): Tile {
    const known = this.tiles.get(key);
    if (known) return known;
    const screen = source === Track.Source.ScreenShare;
    const video = el("video", { autoplay: true, playsinline: true });
    video.muted = true; // sound is played by elements of its own
    const label = el("span", { class: "tile-name", "data-testid": "tile-name" });
    const muted = el("span", { class: "tile-muted" }, icon("mic-off"), el("span", { class: "sr-only" }, "muted"));
    const avatar = el("span", { class: "avatar", "aria-hidden": "true" });
    const root = el(
      "li",
      {
        class: screen ? "tile screen" : "tile",
        "data-testid": screen ? "screen-tile" : "tile",
        "data-identity": participant.identity,
        "data-local": participant.isLocal ? "true" : "false",
      },
      avatar,
      video,
      el("div", { class: "tile-label" }, muted, label),
    );
    const made: Tile = { root, video, label, avatar, muted, track: undefined };
    this.tiles.set(key, made);
    this.stage.append(root);
    return made;
  }

  private update(tile: Tile, participant: Participant, source: Track.Source): void {
    const publication = participant.getTrackPublication(source);
    const track = publication?.isMuted ? undefined : publication?.track;
    if (tile.track !== track) {
      tile.track?.detach(tile.video);
      track?.attach(tile.video);
      tile.track = track;
    }
    const screen = source === Track.Source.ScreenShare;
    const name = displayName(participant);
    tile.root.classList.toggle("has-video", track !== undefined);
    tile.root.classList.toggle("mirrored", participant.isLocal && !screen);
    tile.label.textContent = screen ? `${name}'s screen` : participant.isLocal ? `${name} (you)` : name;
    tile.avatar.textContent = screen ? "" : initials(name);
    tile.avatar.dataset["hue"] = String(hue(participant.identity));
    tile.muted.hidden = screen || participant.isMicrophoneEnabled;
  }

  private remove(key: string, tile: Tile): void {
    tile.track?.detach(tile.video);
    tile.root.remove();
    this.tiles.delete(key);
  }

  private playAudio(): void {
    const wanted = new Set<Track>();
    for (const participant of this.room.remoteParticipants.values()) {
      for (const { track } of participant.audioTrackPublications.values()) if (track) wanted.add(track);
    }
    for (const [track, element] of this.audio) {
      if (wanted.has(track)) continue;
      track.detach(element);
      element.remove();
      this.audio.delete(track);
    }
    for (const track of wanted) {
      if (this.audio.has(track)) continue;
      const element = track.attach();
      byId("sounds").append(element);
      this.audio.set(track, element);
    }
  }

  /** With a shared screen that one is large and people stand in a strip; otherwise all tiles are equal. */
  private arrange(): void {
    const screens = this.stage.querySelectorAll(".tile.screen");
    for (const [index, screen] of screens.entries()) screen.classList.toggle("main", index === 0);
    this.stage.classList.toggle("presenting", screens.length > 0);
    this.stage.style.setProperty("--strip", String(this.tiles.size - 1));
    if (screens.length > 0) return;
    const { clientWidth, clientHeight } = this.stage;
    const count = this.tiles.size;
    const fit = bestFit(count, clientWidth, clientHeight, GAP_PX);
    // On a phone two people look better above each other at full width than as two stamps.
    const columns = clientWidth < NARROW_PX && count <= 2 ? 1 : fit.columns;
    this.stage.style.setProperty("--columns", String(columns));
    this.stage.style.setProperty("--tile-width", `${columns === fit.columns ? fit.width : clientWidth}px`);
  }
}

const HUES = 6;

/** Which of the avatar colours someone has, the same on every screen. */
export function hue(text: string): number {
  let sum = 0;
  for (const char of text) sum = (sum * 31 + (char.codePointAt(0) ?? 0)) % 9973;
  return sum % HUES;
}
