/** A signed-in user: access and refresh token in local storage, so that a second tab is signed in as well. */
import { ApiError, request, type Api, type RequestOptions } from "./http";
import { ofBrowser, ofTab } from "./storage";

const ACCESS = "meet:access-token";
const REFRESH = "meet:refresh-token";
const RETURN = "meet:return-to";

interface LoginAnswer {
  readonly accessToken: string;
  readonly refreshToken?: string;
  readonly mustChangePassword?: boolean;
}

export const accessToken = (): string | undefined => ofBrowser.getItem(ACCESS) ?? undefined;

export const bearer = (token: string): string => `Bearer ${token}`;

function keep(answer: LoginAnswer): void {
  ofBrowser.setItem(ACCESS, answer.accessToken);
  if (answer.refreshToken) ofBrowser.setItem(REFRESH, answer.refreshToken);
}

export function signOut(): void {
  ofBrowser.removeItem(ACCESS);
  ofBrowser.removeItem(REFRESH);
}

/** Sign in; true when a new password has to be chosen before anything else works. Throws ApiError. */
export async function signIn(userId: string, password: string): Promise<boolean> {
  const answer = await request<LoginAnswer>("POST", "internal-api/v1", "/auth/login", { body: { userId, password }, quiet: true });
  keep(answer);
  return answer.mustChangePassword === true;
}

/** Throws ApiError. */
export async function changePassword(currentPassword: string, newPassword: string): Promise<void> {
  const body = { currentPassword, newPassword };
  keep(await asUser<LoginAnswer>("POST", "internal-api/v1", "/users/change-password", { body }));
}

async function renew(): Promise<boolean> {
  const token = ofBrowser.getItem(REFRESH);
  if (!token) return false;
  try {
    keep(await request("POST", "internal-api/v1", "/auth/refresh", { headers: { "X-Refresh-Token": bearer(token) } }));
    return true;
  } catch (error) {
    // Neither a server that is away nor too many requests from this network say anything about the token.
    if (error instanceof ApiError && error.status >= 400 && error.status < 500 && error.status !== 429) signOut();
    return false;
  }
}

/** A request as the signed-in user; an expired access token is renewed and the request repeated once. */
export async function asUser<T>(method: string, api: Api, path: string, options: RequestOptions = {}): Promise<T> {
  const send = (): Promise<T> => {
    const token = accessToken();
    const headers = { ...options.headers, ...(token ? { Authorization: bearer(token) } : {}) };
    return request<T>(method, api, path, { ...options, headers });
  };
  try {
    return await send();
  } catch (error) {
    if (!(error instanceof ApiError) || error.status !== 401 || !(await renew())) throw error;
    return send();
  }
}

/** Remember the page that asked for a sign-in. */
export const rememberReturn = (): void => ofTab.setItem(RETURN, location.pathname);

/** The remembered page of this origin, once. */
export function takeReturn(): string | undefined {
  const path = ofTab.getItem(RETURN) ?? undefined;
  ofTab.removeItem(RETURN);
  return path?.startsWith("/") && !path.startsWith("//") ? path : undefined;
}
