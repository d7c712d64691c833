/** What a participant's metadata says of their rank (contract 3.8.1). */
import type { Participant } from "livekit-client";

export interface Rank {
  readonly badge: string;
  /** Made a moderator for this meeting only, so that it can be taken back. */
  readonly promoted: boolean;
}

/** People without metadata of ours (bots, other clients) have no rank. */
export function rankOf(participant: Pick<Participant, "metadata">): Rank {
  try {
    const found = JSON.parse(participant.metadata ?? "") as { badge?: unknown; isPromotedModerator?: unknown } | null;
    return { badge: typeof found?.badge === "string" ? found.badge : "", promoted: found?.isPromotedModerator === true };
  } catch {
    return { badge: "", promoted: false };
  }
}

export const BADGES: Readonly<Record<string, string>> = { owner: "Owner", admin: "Administrator", moderator: "Moderator" };
