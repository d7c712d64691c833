/** Where the server tells of meetings and recordings. */
import { setWebhooks, testWebhook, webhooks } from "../api/settings";
import { byId, busy, toast } from "../lib/dom";
import { inForm, onSubmit } from "../lib/forms";
import { asUser } from "../lib/session";

export async function showWebhooks(): Promise<void> {
  const enabled = byId<HTMLInputElement>("webhook-enabled");
  const url = byId<HTMLInputElement>("webhook-url");
  const stored = await webhooks(asUser);
  enabled.checked = stored.enabled;
  url.value = stored.url ?? "";
  const fit = (): void => {
    url.required = enabled.checked;
  };
  enabled.addEventListener("change", fit);
  fit();
  onSubmit("webhook-form", async () => {
    const address = url.value.trim();
    const done = await inForm("webhook-error", async () => {
      await setWebhooks(asUser, { enabled: enabled.checked, ...(address ? { url: address } : {}) });
    });
    if (done) toast("Webhook settings saved");
  });
  const test = byId<HTMLButtonElement>("webhook-test");
  test.addEventListener("click", () => void busy(test, async () => {
    const address = url.value.trim();
    if (!address) return url.focus();
    if (await inForm("webhook-error", () => testWebhook(asUser, address))) toast("The receiver answered.");
  }));
}
