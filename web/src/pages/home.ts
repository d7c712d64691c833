/** `/`: a field for a room link, and the sign-in. Who is signed in already goes on to the rooms. */
import { link } from "../lib/config";
import { byId, showView } from "../lib/dom";
import { inForm, onSubmit, sentence } from "../lib/forms";
import type { ApiError } from "../lib/http";
import { accessToken, changePassword, signIn, takeReturn } from "../lib/session";
import { wearTheme } from "../lib/theme";

/** Where a pasted room link leads: only to pages of this origin; a bare room id is fine too. */
function target(text: string): string | undefined {
  const pasted = text.trim();
  if (/^[\w-]+$/.test(pasted)) return link(`room/${pasted}`);
  try {
    const url = new URL(pasted, location.origin);
    return url.origin === location.origin && /\/(room|recording)\//.test(url.pathname) ? url.href : undefined;
  } catch {
    return undefined;
  }
}

function bindJoin(): void {
  const input = byId<HTMLInputElement>("room-link");
  input.addEventListener("input", () => input.setCustomValidity(""));
  byId("open-form").addEventListener("submit", (event) => {
    event.preventDefault();
    const address = target(input.value);
    if (address) return location.assign(address);
    input.setCustomValidity("This is not a room link of this server.");
    input.reportValidity();
  });
}

const enter = (): void => location.assign(takeReturn() ?? link("rooms"));

const explain = (error: ApiError): string => (error.status === 404 ? "User id or password is wrong" : sentence(error.message));

function bindSignIn(): void {
  const user = byId<HTMLInputElement>("sign-in-user");
  const password = byId<HTMLInputElement>("sign-in-password");
  onSubmit("sign-in-form", async () => {
    await inForm(
      "sign-in-error",
      async () => {
        if (await signIn(user.value.trim(), password.value)) showView("password");
        else enter();
      },
      explain,
    );
  });
  onSubmit("password-form", async () => {
    const wanted = byId<HTMLInputElement>("new-password").value;
    if (await inForm("password-error", () => changePassword(password.value, wanted))) enter();
  });
}

void wearTheme();
bindJoin();
bindSignIn();
if (accessToken() && location.hash !== "#sign-in") {
  location.replace(link("rooms"));
} else {
  showView("welcome");
  if (location.hash === "#sign-in") byId("sign-in-user").focus();
}
