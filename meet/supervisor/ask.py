"""The other end of the supervisor's socket (`control`), for commands on the same machine."""

from __future__ import annotations

import json
import socket
from pathlib import Path
from typing import Any, Final

_TIMEOUT_S: Final = 120.0
"""Longer than a drain may take, the new start included."""


class Refused(Exception):
    """Nothing was done; `str()` says why."""


def drain_media(path: Path, worker: int) -> int:
    """Have a media worker emptied and started afresh; returns its former pid when that is done. Raises Refused."""
    answer = _ask(path, {"op": "drain_media", "worker": worker})
    if not answer.get("ok"):
        raise Refused(str(answer.get("error") or "the server has refused"))
    return int(answer["pid"])


def _ask(path: Path, request: dict[str, Any]) -> dict[str, Any]:
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as sock:
            sock.settimeout(_TIMEOUT_S)
            sock.connect(str(path))
            sock.sendall(json.dumps(request).encode() + b"\n")
            with sock.makefile("rb") as answers:
                answer: dict[str, Any] = json.loads(answers.readline() or b"{}")
                return answer
    except TimeoutError:
        raise Refused("the server does not answer in time; its log says what it does") from None
    except (OSError, ValueError):
        raise Refused("no server runs in this data directory") from None
