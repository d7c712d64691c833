/** The frame of every console page: who is signed in, what they may open, and the way out. */
import { currentUser } from "../api/users";
import { link } from "./config";
import { byId, showView, toast } from "./dom";
import { sentence } from "./forms";
import { ApiError } from "./http";
import { showProblem } from "./problems";
import { accessToken, asUser, rememberReturn, signOut } from "./session";
import { wearTheme } from "./theme";
import type { User } from "./types";

/** Sign-in lost or never there: to the start page, and back here afterwards. */
function leave(): void {
  signOut();
  rememberReturn();
  location.replace(link(""));
}

/** Run an action of a console page: a lost session leads to the sign-in, any other refusal is shown as a notice. */
export async function guarded(action: () => Promise<void>): Promise<void> {
  try {
    await action();
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    if (error.status === 401 || error.message.includes("Password change required")) leave();
    else toast(sentence(error.message), "error");
  }
}

/** Find out who is signed in, fill the frame, then the page. What `open` is refused is the page's problem card. */
export async function openConsole(open: (me: User) => Promise<void>): Promise<void> {
  byId("sign-out").addEventListener("click", () => {
    signOut();
    location.assign(link(""));
  });
  if (!accessToken()) return leave();
  void wearTheme();
  try {
    const me = await currentUser(asUser);
    byId("user-name").textContent = me.name || me.userId;
    byId("account").hidden = false;
    for (const item of document.querySelectorAll<HTMLElement>("[data-roles]")) {
      item.hidden = !item.dataset["roles"]?.split(" ").includes(me.role);
    }
    await open(me);
    showView("console");
  } catch (error) {
    if (error instanceof ApiError && (error.status === 401 || error.message.includes("Password change required"))) return leave();
    showProblem(error, explain);
  }
}

function explain(error: ApiError): { title: string; text: string; action?: "retry" } {
  if (error.status === 403) return { title: "You have no access", text: "Your account does not allow this page." };
  if (error.status === 404) return { title: "Not found", text: "It may have been deleted meanwhile." };
  return { title: "That did not work", text: sentence(error.message), action: "retry" };
}
