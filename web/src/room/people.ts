/** Who is here, and what moderators can do about it. */
import type { Participant, Room } from "livekit-client";
import { changeRole, kick } from "../api/meetings";
import { confirmed } from "../lib/dialog";
import { busy, byId, el, icon, toast } from "../lib/dom";
import { initials } from "../lib/format";
import { sentence } from "../lib/forms";
import { ApiError } from "../lib/http";
import type { Member } from "../lib/member";
import { BADGES, rankOf } from "./badges";
import { Panel } from "./panel";
import { displayName, hue } from "./tiles";

export class People {
  private readonly list = byId("people-list");
  private readonly end = byId<HTMLButtonElement>("end-button");
  private readonly panel: Panel;
  private drawn = "";

  constructor(
    private readonly room: Room,
    private readonly member: Member,
    private readonly endMeeting: () => Promise<void>,
  ) {
    this.panel = new Panel("people", () => byId("people-close").focus());
    this.end.addEventListener("click", () => void busy(this.end, () => this.endForAll()));
  }

  /** After any change of participants, of their metadata, or of one's own permissions. */
  sync(): void {
    const everyone = [this.room.localParticipant, ...this.room.remoteParticipants.values()];
    const may = [this.member.may("canMakeModerator"), this.member.may("canKickParticipants")];
    const state = JSON.stringify([may, everyone.map((one) => [one.identity, displayName(one), rankOf(one), one.isMicrophoneEnabled])]);
    this.end.hidden = !this.member.may("canEndMeeting");
    if (state === this.drawn) return; // a menu that is in use stays as it is
    this.drawn = state;
    const focused = document.activeElement?.getAttribute("data-key");
    this.list.replaceChildren(...everyone.map((participant) => this.row(participant)));
    if (focused) this.list.querySelector<HTMLElement>(`[data-key="${CSS.escape(focused)}"]`)?.focus();
  }

  hide(): void {
    this.panel.hide();
  }

  private row(participant: Participant): HTMLLIElement {
    const name = displayName(participant);
    const { badge } = rankOf(participant);
    const rank = BADGES[badge];
    const text = el("span", { class: "person-name" }, el("span", {}, participant.isLocal ? `${name} (you)` : name));
    if (rank) text.append(el("span", { class: "muted", "data-testid": "badge" }, rank));
    const avatar = el("span", { class: "avatar", "aria-hidden": "true", "data-hue": String(hue(participant.identity)) }, initials(name));
    const row = el("li", { class: "person", "data-testid": "person", "data-identity": participant.identity }, avatar, text);
    if (!participant.isMicrophoneEnabled) row.append(el("span", { class: "muted" }, icon("mic-off"), el("span", { class: "sr-only" }, "muted")));
    if (!participant.isLocal) row.append(...this.actions(participant, name));
    return row;
  }

  private actions(participant: Participant, name: string): HTMLElement[] {
    const { badge, promoted } = rankOf(participant);
    const { identity } = participant;
    const call = this.member.request.bind(this.member);
    const { roomId } = this.member;
    const made: HTMLElement[] = [];
    if (this.member.may("canMakeModerator") && badge === "other") {
      made.push(this.button("star", `Make ${name} a moderator`, "promote", identity, () => changeRole(call, roomId, identity, "upgrade")));
    }
    if (this.member.may("canMakeModerator") && promoted) {
      const act = (): Promise<void> => changeRole(call, roomId, identity, "downgrade");
      made.push(this.button("star-off", `Take moderator rights from ${name}`, "demote", identity, act));
    }
    if (this.member.may("canKickParticipants")) {
      const act = async (): Promise<void> => {
        const text = "They leave the meeting. With a link that works they can come back.";
        if (await confirmed(`Remove ${name} from the meeting?`, text, "Remove")) await kick(call, roomId, identity);
      };
      made.push(this.button("person-off", `Remove ${name}`, "kick", identity, act));
    }
    return made;
  }

  private button(glyph: string, label: string, testid: string, identity: string, act: () => Promise<void>): HTMLButtonElement {
    const attributes = { type: "button", class: "quiet icon-button", title: label, "aria-label": label };
    const node = el("button", { ...attributes, "data-testid": testid, "data-key": `${testid} ${identity}` }, icon(glyph));
    node.addEventListener("click", () => void busy(node, () => attempt(act)));
    return node;
  }

  private async endForAll(): Promise<void> {
    if (!(await confirmed("End the meeting for everyone?", "All participants leave. A running recording is finished and saved.", "End meeting"))) return;
    await attempt(this.endMeeting);
  }
}

async function attempt(act: () => Promise<void>): Promise<void> {
  try {
    await act();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    toast(error.status === 404 ? "They have left already." : sentence(error.message), "error");
  }
}
