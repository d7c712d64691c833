"""Fresh tokens for connected clients, so that a later reconnect brings the rights they have then."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from typing import Any, Final

import jwt

from meet.media.room import Participant

LIFE_S: Final = 600
RENEW_BEFORE_S: Final = 300


class ClientToken:
    """The claims a client joined with. wall: unix time in seconds.

    A fresh token never ends before the one the client came with.
    """

    def __init__(
        self, claims: Mapping[str, Any], keys: Mapping[str, str], wall: Callable[[], float] = time.time
    ) -> None:
        self._claims = dict(claims)
        self._keys = keys
        self._wall = wall

    @property
    def runs_out(self) -> bool:
        """It is time for another one."""
        return float(self._claims["exp"]) - self._wall() < RENEW_BEFORE_S

    def renew(self, member: Participant) -> str:
        """A token that says what the participant is and may do now."""
        now = int(self._wall())
        rights = member.permission
        self._claims |= {
            "name": member.name,
            "metadata": member.metadata,
            "attributes": dict(member.attributes),
            "nbf": now - 10,
            "exp": max(int(self._claims["exp"]), now + LIFE_S),
            "video": {
                **self._claims["video"],
                "canSubscribe": rights.can_subscribe,
                "canPublish": rights.can_publish,
                "canPublishData": rights.can_publish_data,
                "canPublishSources": sorted(s.name.lower() for s in rights.can_publish_sources),
                "canUpdateOwnMetadata": rights.can_update_metadata,
                "hidden": rights.hidden,
                "recorder": rights.recorder,
            },
        }
        return jwt.encode(self._claims, self._keys[self._claims["iss"]], algorithm="HS256")
