"""One person's stay in a room, in all the ways in which stays end. Used by the leak test and the soak."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable

from tests.support.light import LightParticipant

Enter = Callable[[str, bool], Awaitable[LightParticipant]]
"""(identity, single_pc) to a participant that has joined and has media."""


async def seen(robot: LightParticipant, watcher: LightParticipant) -> None:
    """Send until the watcher has received both tracks."""
    async with asyncio.timeout(90):
        while True:
            robot.send_frame()
            await asyncio.sleep(0.02)
            info = watcher.others.get(robot.identity)
            if info is not None and len(info.tracks) == 2 and all(watcher.received[t.sid] > 2 for t in info.tracks):
                return


async def gone(watcher: LightParticipant, identity: str) -> None:
    async with asyncio.timeout(120):
        while identity in watcher.others:
            await asyncio.sleep(0.02)


async def stay(number: int, enter: Enter, watcher: LightParticipant) -> None:
    """Join, publish, be seen, and leave: politely, by a cut socket, after an ICE restart, thrown out by a namesake."""
    identity = f"robot-{number}"
    robot = await enter(identity, number % 2 == 0)
    await robot.publish()
    await seen(robot, watcher)
    match number // 2 % 4:
        case 0:
            await robot.leave()
        case 1:
            await robot.leave(politely=False)
            return  # the server waits for it to come back
        case 2:
            await robot.unpublish()
            await robot.leave()
        case _:
            namesake = await enter(identity, number % 2 == 1)
            await robot.ended.wait()
            await robot.leave()
            await namesake.leave()
    await gone(watcher, identity)
