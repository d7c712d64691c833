/** Forms: submit once, show what the server says beside them. */
import { ApiError } from "./http";
import { busy, byId } from "./dom";

/** Run `action` at every submit, the button disabled meanwhile. */
export function onSubmit(id: string, action: () => Promise<void>): void {
  const form = byId<HTMLFormElement>(id);
  form.addEventListener("submit", (event) => {
    event.preventDefault();
    const button = form.querySelector<HTMLButtonElement>("[type=submit]");
    if (button) void busy(button, action);
  });
}

/** `message.` with exactly one full stop. */
export const sentence = (message: string): string => `${message.replace(/\.$/, "")}.`;

/** Run `action`; a refusal of the server goes into the form's alert `#<id>`. True when it succeeded. */
export async function inForm(id: string, action: () => Promise<void>, explain?: (error: ApiError) => string): Promise<boolean> {
  const alert = byId(id);
  alert.textContent = "";
  try {
    await action();
    return true;
  } catch (error) {
    if (!(error instanceof ApiError)) throw error;
    alert.textContent = sentence(explain?.(error) ?? error.message);
    return false;
  }
}
