/** The key that integrations call the API with. There is one at most. */
import { apiKeys, createApiKey, revokeApiKeys, type ApiKey } from "../api/settings";
import { copy } from "../lib/clipboard";
import { guarded } from "../lib/console";
import { confirmed } from "../lib/dialog";
import { byId, toast } from "../lib/dom";
import { when } from "../lib/format";
import { asUser } from "../lib/session";

let current: ApiKey | undefined;

function draw(): void {
  byId("api-key").textContent = current ? `${current.key.slice(0, 10)}…${current.key.slice(-4)}` : "";
  byId("api-key-facts").textContent = current ? `Created ${when(current.creationDate)}` : "There is no key: integrations cannot call the API, and webhooks are not sent.";
  for (const id of ["api-key", "api-key-copy", "api-key-revoke"]) byId(id).hidden = current === undefined;
  byId("api-key-create").textContent = current ? "Replace" : "Create key";
}

export async function showApiKey(): Promise<void> {
  current = (await apiKeys(asUser))[0];
  draw();
  byId("api-key-copy").addEventListener("click", () => void copy(current?.key ?? "", "API key copied"));
  byId("api-key-create").addEventListener("click", () => void guarded(async () => {
    const text = "Integrations that use the present key stop working at once, and webhooks are signed with the new one.";
    if (current && !(await confirmed("Replace the API key?", text, "Replace key"))) return;
    current = await createApiKey(asUser);
    draw();
    toast("The new key is ready to be copied.");
  }));
  byId("api-key-revoke").addEventListener("click", () => void guarded(async () => {
    const text = "Integrations stop working at once, and webhooks are no longer sent.";
    if (!(await confirmed("Revoke the API key?", text, "Revoke key"))) return;
    await revokeApiKeys(asUser);
    current = undefined;
    draw();
    byId("api-key-create").focus();
  }));
}
