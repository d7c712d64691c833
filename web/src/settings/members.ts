/** The members of a room: users with a role of their own, guests with a link of their own. */
import { addMember, listMembers, removeMember, setBaseRole, type NewMember } from "../api/members";
import { listUsers } from "../api/users";
import { copyButton } from "../lib/clipboard";
import { guarded } from "../lib/console";
import { confirmed } from "../lib/dialog";
import { announce, byId, el, icon, select } from "../lib/dom";
import { inForm, onSubmit } from "../lib/forms";
import { PagedList } from "../lib/paged_list";
import { asUser } from "../lib/session";
import { storeChoice } from "../lib/switches";
import type { Room, RoomMember } from "../lib/types";

const ROLES = { moderator: "Moderator", speaker: "Speaker" };
const KINDS: Readonly<Record<RoomMember["type"], string>> = { user: "User", identified_guest: "Guest with a personal link" };

export async function showMembers(room: Room): Promise<void> {
  const members: PagedList<RoomMember> = new PagedList<RoomMember>(
    "members",
    {
      load: (nextPageToken) => listMembers(asUser, room.roomId, { maxItems: 20, nextPageToken }),
      item: (member) => memberItem(room, member, (item) => members.remove(item, `${member.name} is no longer a member.`)),
    },
    guarded,
  );
  bindForm(room, (member) => {
    members.add(member);
    announce(`${member.name} added.`);
  });
  await members.reload();
  const users = await listUsers(asUser, { maxItems: 100, sortField: "name", sortOrder: "asc" });
  byId("user-ids").replaceChildren(...users.items.map((user) => el("option", { value: user.userId }, user.name)));
}

function memberItem(room: Room, member: RoomMember, removed: (item: HTMLElement) => void): HTMLLIElement {
  const text = el("div", { class: "row-text" }, el("span", { class: "row-name" }, member.name), el("span", { class: "muted" }, KINDS[member.type]));
  const role = select(ROLES, member.baseRole, { class: "small", "aria-label": `Role of ${member.name}` });
  storeChoice(role, async (wanted) => {
    await setBaseRole(asUser, room.roomId, member.memberId, wanted);
    announce(`${member.name} is ${wanted} now.`);
  });
  const copy = copyButton("Link", `Link of ${member.name}`, member.accessUrl, "member-link");
  copy.setAttribute("aria-label", `Copy link of ${member.name}`);
  const remove = el("button", { type: "button", class: "icon-button danger", title: "Remove", "aria-label": `Remove ${member.name}` }, icon("trash"));
  const item = el("li", { class: "row", "data-testid": "member" }, text, el("div", { class: "row-actions" }, role, copy, remove));
  remove.addEventListener("click", () => void guarded(async () => {
    const sure = await confirmed(`Remove ${member.name}?`, "They leave the meeting if they are in it, and their link stops working.", "Remove");
    if (!sure) return;
    await removeMember(asUser, room.roomId, member.memberId);
    removed(item);
  }));
  return item;
}

function bindForm(room: Room, added: (member: RoomMember) => void): void {
  const kind = byId<HTMLSelectElement>("member-kind");
  const name = byId<HTMLInputElement>("member-name");
  const fit = (): void => {
    const user = kind.value === "user";
    byId("member-label").textContent = user ? "User id" : "Name of the guest";
    if (user) name.setAttribute("list", "user-ids");
    else name.removeAttribute("list");
  };
  kind.addEventListener("change", fit);
  fit();
  onSubmit("member-form", async () => {
    const baseRole = byId<HTMLSelectElement>("member-role").value;
    const text = name.value.trim();
    const member: NewMember = kind.value === "user" ? { userId: text, baseRole } : { name: text, baseRole };
    await inForm("member-error", async () => {
      added(await addMember(asUser, room.roomId, member));
      name.value = "";
    });
    name.focus();
  });
}
