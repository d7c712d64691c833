/** `/config`: settings of the whole server, for administrators. */
import { analytics } from "../api/settings";
import { openConsole } from "../lib/console";
import { byId } from "../lib/dom";
import { ApiError } from "../lib/http";
import { asUser } from "../lib/session";
import type { User } from "../lib/types";
import { showApiKey } from "../settings/api_key";
import { showAppearance } from "../settings/appearance";
import { showWebhooks } from "../settings/webhooks";

async function open(me: User): Promise<void> {
  if (me.role !== "admin") throw new ApiError(403, "Authorization Error", "");
  const [counts] = await Promise.all([analytics(asUser), showApiKey(), showWebhooks(), showAppearance()]);
  byId("count-rooms").textContent = String(counts.totalRooms);
  byId("count-active").textContent = String(counts.activeRooms);
  byId("count-recordings").textContent = String(counts.totalRecordings);
}

void openConsole(open);
