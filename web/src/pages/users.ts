/** `/users`: accounts of this server, for those who may see them; administrators manage them. */
import { createUser, deleteUser, listUsers, resetPassword, rootUserId, setRole } from "../api/users";
import { containing } from "../api/caller";
import { guarded, openConsole } from "../lib/console";
import { ask, confirmed } from "../lib/dialog";
import { announce, byId, el, field, icon, select, toast } from "../lib/dom";
import { onFilter, value } from "../lib/filters";
import { inForm, onSubmit } from "../lib/forms";
import { when } from "../lib/format";
import { PagedList } from "../lib/paged_list";
import { asUser } from "../lib/session";
import { storeChoice } from "../lib/switches";
import type { User, UserRole } from "../lib/types";

const ROLES: Readonly<Record<UserRole, string>> = { admin: "Administrator", room_manager: "Room manager", room_member: "Room member" };

/** Nobody manages the root administrator, and nobody themselves. */
interface Rights {
  readonly admin: boolean;
  readonly me: string;
  readonly root: string | undefined;
}

function userItem(user: User, { admin, me, root }: Rights, removed: (item: HTMLElement) => void): HTMLLIElement {
  const marks = [user.userId === me ? "You" : "", user.userId === root ? "Root administrator" : ""].filter(Boolean);
  const chips = marks.map((mark) => el("span", { class: "chip" }, mark));
  const text = el(
    "div",
    { class: "row-text" },
    el("span", { class: "row-title" }, el("span", { class: "row-name" }, user.name), ...chips),
    el("span", { class: "muted" }, `${user.userId} · since ${when(user.registrationDate)}`),
  );
  const actions = el("div", { class: "row-actions" });
  const item = el("li", { class: "row", "data-testid": "user", "data-user-id": user.userId }, text, actions);
  if (!admin || marks.length > 0) actions.append(el("span", { class: "muted" }, ROLES[user.role]));
  else actions.append(roleChoice(user), resetButton(user), removeButton(user, () => removed(item)));
  return item;
}

function roleChoice(user: User): HTMLSelectElement {
  const control = select(ROLES, user.role, { class: "small", "aria-label": `Role of ${user.name}` });
  storeChoice(control, async (wanted) => {
    const { role } = await setRole(asUser, user.userId, wanted);
    announce(`${user.name} is ${ROLES[role].toLowerCase()} now.`);
  });
  return control;
}

function resetButton(user: User): HTMLButtonElement {
  const button = el("button", { type: "button", class: "small", "aria-label": `Reset password of ${user.name}` }, "Reset password");
  button.addEventListener("click", () => void guarded(async () => {
    const input = el("input", { type: "text", required: true, minlength: "5", autocomplete: "off", spellcheck: "false", "data-testid": "reset-password" });
    const answer = await ask({
      title: `New password for ${user.name}`,
      text: "They are asked to choose their own at the next sign-in.",
      body: [field("Password", input, "At least 5 characters")],
      choices: [{ label: "Set password", value: "set", kind: "primary" }],
    });
    if (answer === undefined) return;
    await resetPassword(asUser, user.userId, input.value);
    toast(`${user.name} has a new password.`);
  }));
  return button;
}

function removeButton(user: User, removed: () => void): HTMLButtonElement {
  const button = el("button", { type: "button", class: "icon-button danger", title: "Delete", "aria-label": `Delete ${user.name}` }, icon("trash"));
  button.addEventListener("click", () => void guarded(async () => {
    const text = "They are signed out and leave running meetings. Their rooms pass to the root administrator.";
    if (!(await confirmed(`Delete ${user.name}?`, text, "Delete user"))) return;
    await deleteUser(asUser, user.userId);
    removed();
  }));
  return button;
}

async function open(me: User): Promise<void> {
  const rights: Rights = { admin: me.role === "admin", me: me.userId, root: await rootUserId(asUser) };
  const users: PagedList<User> = new PagedList<User>(
    "users",
    {
      load: (nextPageToken) => {
        const role = value("user-role") || undefined;
        return listUsers(asUser, { maxItems: 20, nextPageToken, role, ...containing("name", value("user-search")) });
      },
      item: (user) => userItem(user, rights, (item) => users.remove(item, `${user.name} deleted.`)),
    },
    guarded,
  );
  onFilter(["user-search", "user-role"], () => guarded(() => users.reload()), () => users.items.length);
  bindForm((user) => {
    users.add(user);
    toast(`${user.name} can sign in now.`);
  });
  await users.reload();
}

function bindForm(added: (user: User) => void): void {
  const form = byId<HTMLFormElement>("user-form");
  onSubmit("user-form", async () => {
    const wanted = { userId: value("new-user-id"), name: value("new-user-name"), role: value("new-user-role"), password: byId<HTMLInputElement>("new-user-password").value };
    const done = await inForm("user-error", async () => added(await createUser(asUser, wanted)));
    if (!done) return;
    form.reset();
    byId<HTMLDetailsElement>("user-new").open = false;
  });
}

void openConsole(open);
