/** `/recordings`: all recordings the signed-in user may see. */
import { containing } from "../api/caller";
import { guarded, openConsole } from "../lib/console";
import { onFilter, value } from "../lib/filters";
import { recordingList } from "../lib/recording_list";
import { accessToken, asUser } from "../lib/session";

async function open(): Promise<void> {
  const list = recordingList({
    caller: asUser,
    // Whose room it is decides; where it is not allowed the server says so.
    mayDelete: true,
    mayPause: true,
    query: () => ({ accessToken: accessToken() ?? "" }),
    filter: () => ({ status: value("recording-status") || undefined, ...containing("roomName", value("recording-search")) }),
    guarded,
  });
  onFilter(["recording-search", "recording-status"], () => guarded(() => list.reload()), () => list.items.length);
  await list.reload();
}

void openConsole(open);
