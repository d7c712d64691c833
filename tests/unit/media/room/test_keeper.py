"""Rooms that survive the process: written as they change, brought back without being announced again."""

from __future__ import annotations

from pathlib import Path

from meet.media.room import RoomEvent, RoomKeeper, RoomOptions, RoomRegistry
from tests.unit.media.fakes import Clock, World


async def kept(directory: Path) -> tuple[RoomRegistry, list[RoomEvent], Clock]:
    """The next process."""
    clock = Clock()
    registry = RoomRegistry(clock=clock, wall_ms=lambda: 5)
    events: list[RoomEvent] = []
    registry.add_listener(events.append)
    keeper = RoomKeeper(directory)
    keeper.open(registry)
    await keeper.close()
    return registry, events, clock


async def test_a_room_comes_back_as_it_was(tmp_path: Path) -> None:
    world = World()
    keeper = RoomKeeper(tmp_path / "rooms")
    keeper.open(world.registry)
    options = RoomOptions(metadata="m", empty_timeout_s=7, departure_timeout_s=9, max_participants=3)
    room = world.registry.create("a/../b", options)
    room.update_metadata("new")
    world.registry.create("gone")
    world.registry.delete("gone")
    await keeper.close()
    world.registry.shutdown()  # what a stop of the process does must not be taken for the end of the meetings

    registry, events, _ = await kept(tmp_path / "rooms")
    (again,) = registry.list()
    assert (again.name, again.sid, again.created_at_ms) == ("a/../b", room.sid, room.created_at_ms)
    assert (again.metadata, again.empty_timeout_s, again.departure_timeout_s) == ("new", 7, 9)
    assert (again.max_participants, again.restored, events) == (3, True, [])


async def test_nobody_comes_back(tmp_path: Path) -> None:
    """The departure timeout ends the room, and its end is told."""
    world = World()
    keeper = RoomKeeper(tmp_path)
    keeper.open(world.registry)
    world.registry.create("room", RoomOptions(departure_timeout_s=9))
    world.join("ann")
    await keeper.close()

    registry, events, clock = await kept(tmp_path)
    clock.now += 8
    registry.tick()
    assert registry.get("room") is not None
    clock.now += 2
    registry.tick()
    assert registry.get("room") is None
    assert [type(e).__name__ for e in events] == ["RoomFinished"]


async def test_a_damaged_file_is_skipped(tmp_path: Path) -> None:
    for name, content in (("a", "{"), ("b", '{"name": "x"}'), ("c", "[]"), ("d", '{"name": 1, "bogus": 2}')):
        (tmp_path / f"{name}.json").write_text(content)
    registry, _, _ = await kept(tmp_path)
    assert registry.list() == []
