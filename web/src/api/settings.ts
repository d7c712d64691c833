/** The server's settings, for administrators. All throw ApiError. */
import type { Caller } from "./caller";

export interface ApiKey {
  readonly key: string;
  readonly creationDate: number;
}

export interface WebhookSettings {
  readonly enabled: boolean;
  readonly url?: string;
}

export interface Theme {
  readonly name: string;
  readonly enabled: boolean;
  readonly baseTheme: "light" | "dark";
  readonly backgroundColor?: string;
  readonly primaryColor?: string;
  readonly secondaryColor?: string;
  readonly accentColor?: string;
  readonly surfaceColor?: string;
}

export interface Analytics {
  readonly totalRooms: number;
  readonly activeRooms: number;
  readonly totalRecordings: number;
  readonly completeRecordings: number;
}

const INTERNAL = "internal-api/v1";

export const analytics = (caller: Caller): Promise<Analytics> => caller("GET", INTERNAL, "/analytics");

export const apiKeys = (caller: Caller): Promise<ApiKey[]> => caller("GET", INTERNAL, "/api-keys");
/** Takes the place of the key there was. */
export const createApiKey = (caller: Caller): Promise<ApiKey> => caller("POST", INTERNAL, "/api-keys");
export const revokeApiKeys = (caller: Caller): Promise<void> => caller("DELETE", INTERNAL, "/api-keys");

export const webhooks = (caller: Caller): Promise<WebhookSettings> => caller("GET", INTERNAL, "/config/webhooks");
export const setWebhooks = (caller: Caller, body: WebhookSettings): Promise<WebhookSettings> =>
  caller("PUT", INTERNAL, "/config/webhooks", { body });
export const testWebhook = (caller: Caller, url: string): Promise<void> =>
  caller("POST", INTERNAL, "/config/webhooks/test", { body: { url } });

interface Appearance {
  readonly appearance: { readonly themes: readonly Theme[] };
}

/** The one theme there can be. */
export async function theme(caller: Caller): Promise<Theme | undefined> {
  return (await caller<Appearance>("GET", INTERNAL, "/config/rooms/appearance")).appearance.themes[0];
}

export async function setTheme(caller: Caller, wanted: Theme): Promise<Theme | undefined> {
  const body = { appearance: { themes: [wanted] } };
  return (await caller<Appearance>("PUT", INTERNAL, "/config/rooms/appearance", { body })).appearance.themes[0];
}
