/**
 * `<openvidu-meet room-url="…">`: a room or a recording inside another site, under the name and with the interface that
 * integrations of OpenVidu Meet know. It is a frame around our own page; events come out as DOM events.
 */
import { isEvent, isOn, leftForGood, type CommandMessage, type EventName, type Events } from "./protocol";
import { redirect } from "./redirect";

/** These go into the frame's address as they are. */
const PASSED_ON = ["participant-name", "show-recording"];

type Listener<N extends EventName> = (payload: Events[N]) => void;

const STYLE = ":host { display: block; width: 100%; height: 100%; min-height: 20rem; } iframe { display: block; width: 100%; height: 100%; border: 0; }";
const ALLOWED = "camera; microphone; display-capture; autoplay; fullscreen; clipboard-write; speaker-selection";

export class OpenViduMeet extends HTMLElement {
  static readonly observedAttributes = ["room-url", "recording-url", ...PASSED_ON, "show-only-recordings"];

  private readonly frame = document.createElement("iframe");
  private readonly listeners = new Map<EventName, Map<unknown, EventListener>>();
  private shown: URL | undefined;
  private drawing = false;
  private readonly hear = (message: MessageEvent<unknown>): void => this.receive(message);

  constructor() {
    super();
    const style = document.createElement("style");
    style.textContent = STYLE;
    this.frame.allow = ALLOWED;
    this.frame.title = "Meeting";
    this.attachShadow({ mode: "open" }).append(style, this.frame);
  }

  connectedCallback(): void {
    window.addEventListener("message", this.hear);
    this.draw();
  }

  disconnectedCallback(): void {
    window.removeEventListener("message", this.hear);
    this.show(undefined);
  }

  attributeChangedCallback(_name: string, before: string | null, now: string | null): void {
    if (before !== now && this.isConnected) this.draw();
  }

  /** End the meeting for everybody. Only moderators may. */
  endMeeting(): void {
    this.send({ command: "endMeeting" });
  }

  leaveRoom(): void {
    this.send({ command: "leaveRoom" });
  }

  /** Remove somebody from the meeting. Only moderators may. */
  kickParticipant(participantIdentity: string): void {
    this.send({ command: "kickParticipant", payload: { participantIdentity } });
  }

  /** Call `listener` with the payload of every such event. */
  on<N extends EventName>(event: N, listener: Listener<N>): this {
    return this.listen(event, listener, false);
  }

  once<N extends EventName>(event: N, listener: Listener<N>): this {
    return this.listen(event, listener, true);
  }

  /** Stop calling `listener`, or everyone who listens to this event. */
  off<N extends EventName>(event: N, listener?: Listener<N>): this {
    const known = this.listeners.get(event);
    for (const [original, wrapped] of [...(known ?? [])]) {
      if (listener !== undefined && original !== listener) continue;
      this.removeEventListener(event, wrapped);
      known?.delete(original);
    }
    return this;
  }

  private listen<N extends EventName>(event: N, listener: Listener<N>, once: boolean): this {
    this.off(event, listener);
    const wrapped = (happened: Event): void => {
      if (once) this.off(event, listener);
      listener((happened as CustomEvent<Events[N]>).detail);
    };
    this.listeners.set(event, (this.listeners.get(event) ?? new Map<unknown, EventListener>()).set(listener, wrapped));
    this.addEventListener(event, wrapped);
    return this;
  }

  /** Once for all attributes that change together. */
  private draw(): void {
    if (this.drawing) return;
    this.drawing = true;
    queueMicrotask(() => {
      this.drawing = false;
      if (this.isConnected) this.show(this.address());
    });
  }

  private show(address: URL | undefined): void {
    if (address?.href === this.shown?.href) return;
    this.shown = address;
    this.frame.src = address?.href ?? "about:blank";
  }

  /** Undefined, with the reason on the console, while the attributes name nothing. */
  private address(): URL | undefined {
    const room = this.getAttribute("room-url");
    const given = room ?? this.getAttribute("recording-url");
    const url = given && URL.canParse(given, location.href) ? new URL(given, location.href) : undefined;
    if (url?.protocol !== "https:" && url?.protocol !== "http:") {
      console.error("openvidu-meet: room-url or recording-url must be the address of a room or a recording");
      return undefined;
    }
    if (room === null) return url;
    for (const name of PASSED_ON) {
      const value = this.getAttribute(name);
      if (value !== null) url.searchParams.set(name, value);
    }
    if (isOn(this.getAttribute("show-only-recordings"))) url.searchParams.set("show-only-recordings", "true");
    return url;
  }

  private send(message: CommandMessage): void {
    if (this.shown) this.frame.contentWindow?.postMessage(message, this.shown.origin);
  }

  private receive({ source, origin, data }: MessageEvent<unknown>): void {
    if (source !== this.frame.contentWindow || origin !== this.shown?.origin || !isEvent(data)) return;
    this.emit(data.event, data.payload);
    // This page is redirected, not the frame, which therefore does not know that nothing comes after the meeting.
    const next = this.getAttribute("leave-redirect-url");
    if (next && data.event === "left" && leftForGood((data.payload as Events["left"]).reason)) {
      this.emit("closed", {});
      redirect(next);
    }
  }

  private emit<N extends EventName>(event: N, detail: Events[N]): void {
    this.dispatchEvent(new CustomEvent(event, { detail, bubbles: true, composed: true }));
  }
}

if (!customElements.get("openvidu-meet")) customElements.define("openvidu-meet", OpenViduMeet);
