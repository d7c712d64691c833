"""Password hashing: bcrypt, cost 10 (contract 3.7), off the event loop."""

from __future__ import annotations

import asyncio
from typing import Final

import bcrypt

_COST: Final = 10
_MAX_BYTES: Final = 72  # bcrypt reads no further, and the library refuses more
_NOBODY: Final = b"$2b$10$abcdefghijklmnopqrstuuRl4.ryKFoZDMCKGPqwFDu6ZwqTHRSZ6"


async def hash_password(password: str) -> str:
    """The bcrypt hash of a password; takes some tens of milliseconds of another thread."""
    salt = bcrypt.gensalt(_COST)
    return (await asyncio.to_thread(bcrypt.hashpw, password.encode()[:_MAX_BYTES], salt)).decode()


async def verify_password(password: str, stored: str | None) -> bool:
    """True when the password belongs to the hash. Without a hash it takes as long and is False, so that unknown users
    cannot be told from wrong passwords by time."""
    hashed = stored.encode() if stored is not None else _NOBODY
    matches = await asyncio.to_thread(bcrypt.checkpw, password.encode()[:_MAX_BYTES], hashed)
    return matches and stored is not None
