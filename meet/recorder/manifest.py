"""The manifest beside an egress's file: what it is of and when it was made, as LiveKit's egress writes one."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from meet.recorder.jsonfile import read_object
from meet.recorder.state import EgressState


def write(spool: Path, state: EgressState, ended_at_ms: int) -> dict[str, Path]:
    """Storage key and file of the manifest, if the spool's request.json asks for one. Times are ns. Raises OSError."""
    wanted: Any = (read_object(spool / "request.json") or {}).get("manifest")
    if not isinstance(wanted, dict) or not isinstance(wanted.get("content"), dict) or not wanted.get("key"):
        return {}
    content = {
        "egress_id": state.egress_id,
        **wanted["content"],
        "started_at": (state.started_at_ms or 0) * 1_000_000,
        "ended_at": ended_at_ms * 1_000_000,
        "files": [{"filename": state.key, "location": state.key}],
    }
    path = spool / "composite.manifest"
    path.write_text(json.dumps(content, indent=2) + "\n")
    return {str(wanted["key"]): path}
