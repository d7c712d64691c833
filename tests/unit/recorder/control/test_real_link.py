"""The recorder's own end of the socket (`meet/recorder/link.py`) against the control, over a restart."""

from __future__ import annotations

from typing import Any

from meet.recorder.link import ControlLink
from meet.recorder.state import EgressState, write
from tests.unit.recorder.control.world import World


async def test_both_ends_fit_and_find_each_other_again(world: World) -> None:
    egress_id = await world.start()
    (known,) = world.control.list()
    commands: list[dict[str, Any]] = []
    state = EgressState(egress_id, "a", "starting", "grid", "H264_720P_30", known.request.key)
    path = world.folder(egress_id) / "state.json"
    link = ControlLink(world.data / "run" / "egress.sock", state, commands.append)

    def advance(status: str, **changes: Any) -> None:
        nonlocal state
        state = state.advance(status, **changes)
        write(path, state)
        link.report(state)

    advance("active", started_at_ms=1000)
    await world.until_status(egress_id, "active")
    await world.control.update_layout(egress_id, "speaker")
    await world.control.stop(egress_id)
    await world.until(lambda: len(commands) == 2)
    assert commands == [
        {"type": "update_layout", "layout": "speaker"},
        {"type": "stop", "reason": "stop_requested"},
    ]
    await world.restart()
    advance("complete", size=9, duration_s=1.5, details="End reason: StopEgress API")
    await world.until_status(egress_id, "complete")
    assert world.told[-1:] == [("egress_ended", "complete")]
    (done,) = world.control.list()
    assert (done.started_at_ms, done.size, done.duration_s) == (1000, 9, 1.5)
    assert done.ended_at_ms == state.ended_at_ms
    await link.close(1.0)
