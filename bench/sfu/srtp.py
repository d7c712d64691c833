"""SRTP sessions with a fixed key, the same in both processes."""

from __future__ import annotations

from typing import Any

from pylibsrtp import Policy, Session


def session(*, receive: bool = False) -> Any:
    """AES-256-GCM, what Chromium negotiates with us."""
    policy = Policy(
        key=bytes(range(44)),
        ssrc_type=Policy.SSRC_ANY_INBOUND if receive else Policy.SSRC_ANY_OUTBOUND,
        srtp_profile=Policy.SRTP_PROFILE_AEAD_AES_256_GCM,
    )
    policy.window_size = 1024
    return Session(policy)
