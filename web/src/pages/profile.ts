/** `/profile`: one's own account. */
import { openConsole } from "../lib/console";
import { byId, toast } from "../lib/dom";
import { inForm, onSubmit } from "../lib/forms";
import { when } from "../lib/format";
import { changePassword } from "../lib/session";
import type { User } from "../lib/types";

const ROLES: Readonly<Record<User["role"], string>> = { admin: "Administrator", room_manager: "Room manager", room_member: "Room member" };

async function open(me: User): Promise<void> {
  byId("profile-name").textContent = me.name;
  byId("profile-id").textContent = me.userId;
  byId("profile-role").textContent = ROLES[me.role];
  byId("profile-since").textContent = when(me.registrationDate);
  byId<HTMLInputElement>("password-user").value = me.userId;
  const [current, wanted, repeated] = ["current-password", "new-password", "repeat-password"].map((id) => byId<HTMLInputElement>(id)) as [HTMLInputElement, HTMLInputElement, HTMLInputElement];
  const compare = (): void => repeated.setCustomValidity(repeated.value === wanted.value ? "" : "The two new passwords differ.");
  for (const input of [wanted, repeated]) input.addEventListener("input", compare);
  onSubmit("password-form", async () => {
    const done = await inForm("password-error", () => changePassword(current.value, wanted.value));
    if (!done) return current.focus();
    byId<HTMLFormElement>("password-form").reset();
    toast("Your password has been changed.");
  });
}

void openConsole(open);
