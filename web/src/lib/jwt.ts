/** Reading our own tokens. Nothing is verified here: the server does that, the page only wants to know what it got. */
import type { Permissions } from "./types";

export interface MemberClaims {
  /** Seconds since the epoch. */
  readonly exp: number;
  /** Participant identity; only in tokens that join. */
  readonly sub?: string;
  readonly name?: string;
  readonly roomId: string;
  readonly permissions: Permissions;
  readonly badge?: string;
  /** Who the room knows this person as: a member, or a signed-in user. */
  readonly memberId?: string;
  readonly userId?: string;
  /** Media server to connect to; only in tokens that join. */
  readonly livekitUrl?: string;
}

function payload(token: string): Record<string, unknown> {
  const part = (token.split(".")[1] ?? "").replace(/-/g, "+").replace(/_/g, "/");
  const bytes = Uint8Array.from(atob(part), (char) => char.charCodeAt(0));
  return JSON.parse(new TextDecoder().decode(bytes)) as Record<string, unknown>;
}

/** Claims of a room member token, its `metadata` string unfolded. Throws SyntaxError for something else. */
export function memberClaims(token: string): MemberClaims {
  const { metadata, exp, sub, name } = payload(token);
  const inner = JSON.parse(String(metadata)) as Omit<MemberClaims, "exp" | "sub" | "name">;
  return { ...inner, exp: Number(exp), ...(sub ? { sub: String(sub) } : {}), ...(name ? { name: String(name) } : {}) };
}
