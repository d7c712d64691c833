"""Which rooms there are, for the egress control: those of this process, or of the workers behind the front."""

from __future__ import annotations

from meet.media.front.fleet import Fleet
from meet.media.room import RoomEvent, RoomFinished, RoomRegistry, RoomStarted
from meet.recorder.control.controller import EgressController


def follow_registry(control: EgressController, registry: RoomRegistry) -> None:
    """Stop recordings of rooms that finish, and show every room whether it is being recorded."""

    def show(name: str, recorded: bool) -> None:
        room = registry.get(name)
        if room is not None:
            room.set_active_recording(recorded)

    def on_event(event: RoomEvent) -> None:
        if isinstance(event, RoomStarted):
            control.room_started(event.room.name)
        elif isinstance(event, RoomFinished):
            control.room_finished(event.room.name)

    control.show_with(show)
    registry.add_listener(on_event)


def follow_fleet(control: EgressController, fleet: Fleet) -> None:
    """The same for rooms in other processes."""
    control.show_with(fleet.show_recording)
    fleet.on_room_started.append(control.room_started)
    fleet.on_room_finished.append(control.room_finished)


def finish_lost(control: EgressController, fleet: Fleet) -> None:
    """Stop recordings whose room ended while nobody listened; call it when all rooms are known."""
    for state in control.list(active=True):
        name = state.request.room_name
        if not fleet.placement.lives(name):
            control.room_finished(name)
