/** The room member token: how a guest (by secret) or a signed-in user talks to one room's part of the API. */
import { ApiError, request, type Api, type RequestOptions } from "./http";
import { memberClaims, type MemberClaims } from "./jwt";
import { asUser, bearer } from "./session";
import type { PermissionName } from "./types";

const REFRESH_BEFORE_S = 60;
const JITTER_S = 10;
const RETRY_S = 5;
const LONGEST_TIMER_S = 24 * 3600;

interface TokenAnswer {
  readonly token: string;
}

interface TokenRequest {
  readonly joinMeeting: boolean;
  readonly participantName?: string;
}

export class Member {
  private token = "";
  private timer = 0;
  private stopped = false;
  claims: MemberClaims | undefined;
  /** Called when permissions may have changed. */
  onChange: () => void = () => undefined;

  constructor(
    readonly roomId: string,
    private readonly secret: string | undefined,
  ) {}

  may(permission: PermissionName): boolean {
    return this.claims?.permissions[permission] === true;
  }

  /** Learn what the secret (or the signed-in user) may do, without joining. Throws ApiError. */
  async enter(): Promise<void> {
    this.accept(await this.ask({ joinMeeting: false }));
  }

  /** A token that joins the meeting under `name`; it is the media server's token as well. Throws ApiError. */
  async join(name: string): Promise<{ token: string; url: string }> {
    this.accept(await this.ask({ joinMeeting: true, participantName: name }));
    const url = this.claims?.livekitUrl;
    if (!url) throw new ApiError(500, "Error", "The server did not say where the meeting takes place.");
    return { token: this.token, url };
  }

  /** The same token with a new date, taking over a changed role. Throws ApiError. */
  async refresh(): Promise<void> {
    const path = `/rooms/${encodeURIComponent(this.roomId)}/members/token/refresh`;
    const headers = { "X-Room-Member-Token": bearer(this.token) };
    this.accept((await request<TokenAnswer>("POST", "internal-api/v1", path, { headers })).token);
  }

  /** After a change of permissions: the same participant, permissions computed afresh. Throws ApiError. */
  async regenerate(): Promise<void> {
    this.accept(await this.ask({ joinMeeting: true }, { "X-Room-Member-Token": bearer(this.token) }));
  }

  /** The token as a query parameter, for `<video>` and downloads, which cannot set headers. */
  get query(): { roomMemberToken: string } {
    return { roomMemberToken: this.token };
  }

  /** Stop refreshing; the token stays usable until it expires. */
  stop(): void {
    this.stopped = true;
    window.clearTimeout(this.timer);
  }

  /** A request with this token. When the token is no longer accepted, get another and repeat once. */
  async request<T>(method: string, api: Api, path: string, options: RequestOptions = {}): Promise<T> {
    const send = (): Promise<T> => {
      const headers = { ...options.headers, "X-Room-Member-Token": bearer(this.token) };
      return request<T>(method, api, path, { ...options, headers });
    };
    try {
      return await send();
    } catch (error) {
      if (!(error instanceof ApiError) || error.status !== 401) throw error;
      await this.enter();
      return send();
    }
  }

  private async ask(body: TokenRequest, headers: Record<string, string> = {}): Promise<string> {
    const path = `/rooms/${encodeURIComponent(this.roomId)}/members/token`;
    const options = { body: { ...body, ...(this.secret ? { secret: this.secret } : {}) }, headers };
    const ask = this.secret ? request<TokenAnswer> : asUser<TokenAnswer>;
    return (await ask("POST", "internal-api/v1", path, options)).token;
  }

  private accept(token: string): void {
    this.token = token;
    this.claims = memberClaims(token);
    const left = this.claims.exp - Date.now() / 1000 - REFRESH_BEFORE_S - Math.random() * JITTER_S;
    this.schedule(Math.max(left, RETRY_S));
    this.onChange();
  }

  private schedule(seconds: number): void {
    window.clearTimeout(this.timer);
    if (this.stopped) return;
    const renew = async (): Promise<void> => {
      try {
        await (this.claims?.sub ? this.refresh() : this.enter());
      } catch (error) {
        // Offline, busy, or not in the meeting while it reconnects: try again. No longer accepted: that is final.
        if (error instanceof ApiError && error.status !== 401 && error.status !== 403) this.schedule(RETRY_S);
      }
    };
    this.timer = window.setTimeout(() => void renew(), Math.min(seconds, LONGEST_TIMER_S) * 1000);
  }
}
