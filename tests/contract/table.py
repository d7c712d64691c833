"""The shape of the table: operations, situations, and which refusal comes first (contract 1.5)."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass, field
from enum import IntEnum
from typing import Any

from meet.core.model.recording import RecordingStatus

from .credentials import INSUFFICIENT, Credential
from .world import Scene

Prepare = Callable[[Scene], Awaitable[None]]


class Stage(IntEnum):
    """The order of checks. A request that fails several of them is answered for the first."""

    TRANSPORT = 0
    AUTHENTICATION = 1
    VALIDATION = 2
    EXISTENCE = 3
    AUTHORIZATION = 4
    STATE = 5
    DONE = 6


@dataclass(frozen=True)
class Situation:
    """What is special about a request. Parts that are None are the operation's own."""

    name: str
    stage: Stage
    status: int
    prepare: Prepare | None = None
    recording: RecordingStatus | None = None
    path: str | None = None
    query: Mapping[str, str] | None = None
    body: Any = None
    content: bytes | None = None
    headers: Mapping[str, str] = field(default_factory=dict)
    error: str | None = None
    """Expected `message` (or first detail's), with the scene's ids filled in."""


@dataclass(frozen=True)
class Operation:
    """`rights` tells what authorization answers to who got through the door: missing names may."""

    id: str
    method: str
    path: str
    accepts: str
    success: int
    rights: Mapping[str, int] = field(default_factory=dict)
    query: Mapping[str, str] = field(default_factory=dict)
    body: Any = None
    recording: RecordingStatus | None = None
    prepare: Prepare | None = None
    validate_first: bool = False
    situations: tuple[Situation, ...] = ()

    def all_situations(self) -> tuple[Situation, ...]:
        return (Situation("all is well", Stage.DONE, self.success), *self.situations)

    def expected(self, situation: Situation, credential: Credential) -> tuple[int, str | None]:
        """Status and message (None: not said here) that the order of checks leads to."""
        told = (situation.status, situation.error)
        if situation.stage == Stage.TRANSPORT or (self.validate_first and situation.stage == Stage.VALIDATION):
            return told
        door = credential.refused_at_the_door(self.accepts)
        if door is not None:
            return door
        if situation.stage < Stage.AUTHORIZATION or credential.name not in self.rights:
            return told
        status = self.rights[credential.name]
        return INSUFFICIENT if status == 403 else (status, None)


def outdated(message: str) -> Situation:
    """An edit of a version that is not there any more."""
    headers = {"If-Match": 'W/"0123456789abcdef.1f-xyz"'}
    return Situation("an old version", Stage.STATE, 409, headers=headers, error=f"{message} in the meantime")


MALFORMED = Situation("malformed JSON", Stage.TRANSPORT, 400, content=b'{"roomName":', error="Malformed body")
TOO_LARGE = Situation("a huge body", Stage.TRANSPORT, 413, content=b'{"x":"' + b"x" * 110_000 + b'"}')
