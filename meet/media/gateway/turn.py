"""TURN credentials from a shared secret (draft-uberti-behave-turn-rest-00, coturn's `use-auth-secret`)."""

from __future__ import annotations

import base64
import hashlib
import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from livekit.protocol import rtc as sig


@dataclass(frozen=True)
class TurnConfig:
    """urls: `turn:` or `turns:`. ttl_s: life of a client's credentials. wall: unix time in seconds."""

    urls: tuple[str, ...]
    secret: str = field(repr=False)
    ttl_s: float = 86400.0
    wall: Callable[[], float] = time.time

    def server(self, identity: str) -> sig.ICEServer:
        """The servers with a user name `<expiry>:<identity>` and its HMAC-SHA1 as password."""
        username = f"{int(self.wall() + self.ttl_s)}:{identity}"
        digest = hmac.digest(self.secret.encode(), username.encode(), hashlib.sha1)
        return sig.ICEServer(urls=self.urls, username=username, credential=base64.b64encode(digest).decode())
