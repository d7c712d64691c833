"""The control of recordings, in the media process: started, stopped, watched, remembered, told to the backend.

A recorder's own process writes frames and state.json; everything around it is owned here. It can be killed at any time:
the spool tells the next one all it needs.

- `extension`  what the media processes add: routes, control, webhooks; the way in
- `controller` the port `EgressControl` of the server API, and what recorders say
- `ledger`     every egress known, and the steps it takes: forward only, written down, told once
- `entry`      one egress in memory, and which way its status may go
- `spool`      `spool/<egressId>/` as the control sees it: request.json, state.json, control.json
- `report`     what a recorder says of itself, taken over into what is known of the egress
- `disk`       the thread that waits for the disk
- `retention`  how long the spool remembers what is over
- `usage`      what recordings take of the disk, and what is left of it
- `metrics`    how recordings are, for Prometheus
- `admission`  whether this machine can take one more recording
- `processors` how busy they are
- `supervisor` asks for a recorder process, and how often one was replaced
- `silent`     looks after recorders that do not speak to us
- `link`       `run/egress.sock`, the end that listens; recorders have the other one (`meet/recorder/link.py`)
- `rooms`      which rooms there are: those of this process, or of the workers behind the front
- `remote`     the same control for media processes that are not its owner
"""

from meet.recorder.control.admission import Admission
from meet.recorder.control.controller import EgressController
from meet.recorder.control.extension import (
    RecordingRules,
    Webhooks,
    front_extension,
    media_extension,
    worker_extension,
)

__all__ = [
    "Admission",
    "EgressController",
    "RecordingRules",
    "Webhooks",
    "front_extension",
    "media_extension",
    "worker_extension",
]
