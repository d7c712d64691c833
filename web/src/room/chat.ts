/** Chat: data packets on topic `chat`, JSON `{message}`, between clients only (contract 7.4). */
import type { Room } from "livekit-client";
import { announce, byId, el, toast } from "../lib/dom";
import { Panel } from "./panel";
import { displayName } from "./tiles";

export const CHAT_TOPIC = "chat";
const LONGEST = 4000;

const TIME = new Intl.DateTimeFormat(undefined, { timeStyle: "short" });

export class Chat {
  private readonly panel: Panel;
  private readonly list = byId("chat-messages");
  private readonly input = byId<HTMLInputElement>("chat-input");
  private readonly unread = byId("chat-unread");
  private waiting = 0;

  constructor(private readonly room: Room) {
    this.panel = new Panel("chat", () => {
      this.count(0);
      this.input.focus();
      this.list.scrollTop = this.list.scrollHeight;
    });
    byId("chat-form").addEventListener("submit", (event) => {
      event.preventDefault();
      void this.send();
    });
  }

  allow(read: boolean, write: boolean): void {
    this.panel.button.hidden = !read;
    byId("chat-form").hidden = !write;
    if (!read) this.panel.hide();
  }

  /** A packet of another participant. What is not `{message: text}` is not a chat message. */
  receive(sender: string, payload: Uint8Array): void {
    if (this.panel.button.hidden) return;
    let message: unknown;
    try {
      message = (JSON.parse(new TextDecoder().decode(payload)) as { message?: unknown }).message;
    } catch {
      return;
    }
    if (typeof message !== "string" || !message) return;
    this.show(sender, message.slice(0, LONGEST), false);
    announce(`${sender}: ${message.slice(0, 200)}`);
    if (!this.panel.shown) this.count(this.waiting + 1);
  }

  private async send(): Promise<void> {
    const message = this.input.value.trim();
    if (!message) return;
    const payload = new TextEncoder().encode(JSON.stringify({ message }));
    try {
      await this.room.localParticipant.publishData(payload, { reliable: true, topic: CHAT_TOPIC });
    } catch {
      toast("The message could not be sent.", "error");
      return;
    }
    this.show(displayName(this.room.localParticipant), message, true);
    this.input.value = "";
  }

  private show(sender: string, message: string, own: boolean): void {
    const head = el("span", { class: "message-head" }, own ? "You" : sender, " · ", TIME.format(Date.now()));
    const text = el("span", { class: "message-text" }, message);
    this.list.append(el("li", { class: own ? "message own" : "message", "data-testid": "chat-message" }, head, text));
    this.list.scrollTop = this.list.scrollHeight;
    byId("chat-empty").hidden = true;
  }

  private count(waiting: number): void {
    this.waiting = waiting;
    this.unread.hidden = waiting === 0;
    this.unread.textContent = waiting > 9 ? "9+" : String(waiting);
  }
}
