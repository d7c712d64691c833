/** Refusals of the API in words for people. The conditions are those of the contract (7.6.2). */
import { embedded } from "../embed/host";
import { byId, el, showView } from "./dom";
import { link } from "./config";
import { ApiError } from "./http";
import { rememberReturn } from "./session";

export interface Problem {
  readonly title: string;
  readonly text: string;
  readonly action?: "sign-in" | "retry";
}

const SIGN_IN: Problem = {
  title: "Please sign in",
  text: "This page is for people with an account on this server. If you were invited, use the complete link you got.",
  action: "sign-in",
};
const BUSY: Problem = { title: "One moment", text: "There were too many requests from your network. Wait a minute, then try again.", action: "retry" };

function common(error: ApiError): Problem {
  if (error.status === 429) return BUSY;
  if (error.status === 0) return { title: "No connection", text: error.message, action: "retry" };
  if (error.status === 401) return SIGN_IN;
  if (error.status === 403 && error.message.includes("Password change required")) {
    return { ...SIGN_IN, title: "Choose a new password", text: "Your password has to be changed before you go on." };
  }
  return { title: "That did not work", text: error.message, action: "retry" };
}

/** Why a room cannot be entered. */
export function roomProblem(error: ApiError): Problem {
  const { status, message } = error;
  if (status === 400) return { title: "This link is not valid", text: "Its secret does not belong to this room. Ask for a new link." };
  if (status === 403 && message.includes("Anonymous access")) {
    return { title: "Access by link is switched off", text: "The organiser has disabled this kind of link for the room." };
  }
  if (status === 403 && !message.includes("Password change")) {
    return { title: "You have no access", text: "Your link or account does not allow this." };
  }
  if (status === 404 && message.includes("Room member")) {
    return { title: "You were removed", text: "You are no longer a member of this room." };
  }
  if (status === 404) return { title: "Room not found", text: "It may have been deleted, or the link is incomplete." };
  if (status === 409) return { title: "This room is closed", text: "Nobody can join it at the moment." };
  return common(error);
}

/** Why a recording cannot be shown. */
export function recordingProblem(error: ApiError): Problem {
  const { status, message } = error;
  if (status === 400 || status === 422) return { title: "This link is not valid", text: "Its secret does not belong to this recording. Ask for a new link." };
  if (status === 403 && message.includes("Anonymous access")) {
    return { title: "Access by link is switched off", text: "The organiser has disabled public links to this room's recordings." };
  }
  if (status === 403 && !message.includes("Password change")) {
    return { title: "You have no access", text: "Your link or account does not allow watching this recording." };
  }
  if (status === 404) return { title: "Recording not found", text: "It may have been deleted, or the link is incomplete." };
  return common(error);
}

/** Show the page's problem section. Errors that are not refusals of the API go on to the console. */
export function showProblem(error: unknown, explain: (error: ApiError) => Problem): void {
  if (!(error instanceof ApiError)) {
    showText({ title: "Something went wrong", text: "Reload the page to try again.", action: "retry" });
    throw error;
  }
  showText(explain(error));
}

export function showText(problem: Problem): void {
  byId("problem-title").textContent = problem.title;
  byId("problem-text").textContent = problem.text;
  const actions = byId("problem-actions");
  actions.replaceChildren();
  if (problem.action === "sign-in") {
    const signIn = el("a", { class: "button primary", href: `${link("")}#sign-in` }, "Sign in");
    signIn.addEventListener("click", rememberReturn);
    // The start page lets itself not be embedded: one signs in beside, and comes back.
    if (embedded) signIn.target = "_blank";
    actions.append(signIn);
  }
  if (problem.action === "retry" || (problem.action && embedded)) {
    const again = el("button", { type: "button", class: "primary" }, "Try again");
    again.addEventListener("click", () => location.reload());
    actions.append(again);
  }
  if (!embedded) actions.append(el("a", { class: "button", href: link("") }, "Start page"));
  document.title = `${problem.title} · Meet`;
  showView("problem");
}
