"""What a recorder says of itself, on the link and in state.json, and what the server API knows: where the two meet.

They are two types because they are two processes' own: `meet.recorder.state.EgressState` is a file's content and all a
recorder must know; the port's has the request as it was made. What both have, by name, is taken over.
"""

from __future__ import annotations

from dataclasses import fields, replace
from typing import Any, Final, get_type_hints

from google.protobuf.message import DecodeError
from pydantic import TypeAdapter, ValidationError

from meet.media.twirp.egress_info import egress_info
from meet.media.twirp.egress_model import STATUSES, EgressState, EgressStatus
from meet.recorder import state as recorders

_STEPS: Final = ("egress_id", "status")
_SHARED: Final[dict[str, TypeAdapter[Any]]] = {
    name: TypeAdapter(hint)
    for name, hint in get_type_hints(EgressState).items()
    if name in {field.name for field in fields(recorders.EgressState)} and name not in _STEPS
}


def status_of(value: object) -> EgressStatus | None:
    """A status word, or None for anything else."""
    return next((status for status in STATUSES if status == value), None)


def merge(state: EgressState, report: dict[str, Any], status: EgressStatus) -> EgressState:
    """The state with the well-formed facts of a recorder's report taken over; absent ones keep their value."""
    changes: dict[str, Any] = {}
    for name, kind in _SHARED.items():
        if report.get(name) is not None:
            try:
                changes[name] = kind.validate_python(report[name], strict=True)
            except ValidationError:
                continue
    if status == "active" and report.get("details", "") is None:
        changes["details"] = None  # what kept it from being stored is over
    return replace(state, status=status, **changes)


def as_recorded(state: EgressState) -> recorders.EgressState:
    """What state.json is to say of an egress that no recorder writes of."""
    request = state.request
    return recorders.EgressState(
        egress_id=state.egress_id,
        room_name=request.room_name,
        status=state.status,
        encoding=request.encoding,
        key=request.key,
        only=request.only,
        container=request.container,
        **{name: getattr(state, name) for name in _SHARED},
    )


def tellable(state: EgressState) -> EgressState:
    """The state, without the request that it echoes if that is damaged. Raises ValueError for one that the server API
    could not show: it would keep everybody from the list of all."""
    for candidate in (state, replace(state, request=replace(state.request, original=b""))):
        try:
            egress_info(candidate)
        except (ValueError, OverflowError, DecodeError):
            continue
        return candidate
    raise ValueError("numbers out of every range")
