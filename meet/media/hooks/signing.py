"""The signature of a webhook: a JWT from the API key whose claim `sha256` is the base64 SHA-256 of the body."""

from __future__ import annotations

import base64
import hashlib
import time
from typing import Final

import jwt

_LIFE_S: Final = 300


def sign(body: bytes, api_key: str, api_secret: str) -> str:
    """A token for the Authorization header (no "Bearer"), valid for five minutes."""
    now = int(time.time())
    digest = base64.b64encode(hashlib.sha256(body).digest()).decode()
    claims = {"iss": api_key, "nbf": now, "exp": now + _LIFE_S, "sha256": digest}
    return jwt.encode(claims, api_secret, algorithm="HS256")
