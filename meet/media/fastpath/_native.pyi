"""Types of the compiled module; the reference is in meet/media/sfu/ (lane.py, fanout.py) and, of copy and blend, in
meet/recorder/composer/rows.py."""

from collections.abc import Callable
from typing import Any, final

import numpy as np
import numpy.typing as npt
from av.video.plane import VideoPlane

REVISION: int
MAX_PACKET: int

def copy(into: npt.NDArray[np.uint8], plane: VideoPlane, line_size: int, /) -> None: ...
def blend(view: npt.NDArray[np.uint8], keep: npt.NDArray[np.uint16], add: npt.NDArray[np.uint16], /) -> None: ...

@final
class Route:
    def __new__(cls, traffic: Any, /) -> Route: ...

@final
class Lane:
    peer: Any
    @property
    def pt(self) -> int: ...
    @property
    def ssrc(self) -> int: ...
    @property
    def timestamp_offset(self) -> int: ...
    @property
    def last_sequence(self) -> int: ...
    @property
    def last_timestamp(self) -> int: ...
    @property
    def last_out(self) -> float: ...
    packets: int
    octets: int
    def __new__(
        cls,
        route: Route,
        peer: Any,
        pt: int,
        ssrc: int,
        extension_id: int,
        ring: int,
        pictures: bool,
        sequence: int,
        timestamp: int,
        /,
    ) -> Lane: ...
    def bind(self, sequence: int, timestamp_offset: int, descriptor: bytes, /) -> None: ...
    def header(
        self,
        payload: bytes,
        sequence: int,
        timestamp: int,
        marker: int,
        descriptor: bytes,
        send_time: int,
        arrived: float,
        padding: bool,
        /,
    ) -> bytes | None: ...
    def find(self, sequence: int, /) -> tuple[int, int, bytes, bytes] | None: ...

@final
class Outbox:
    held: bool
    @property
    def sent(self) -> int: ...
    @property
    def dropped(self) -> int: ...
    def __new__(
        cls, protect: int, resolve: Callable[[Any, Any], tuple[int, int, bytes] | None], segments: bool = True
    ) -> Outbox: ...
    def fan_out(
        self,
        payload: bytes,
        lanes: list[Any],
        sequence: int,
        timestamp: int,
        marker: int,
        descriptor: bytes,
        send_time: int,
        arrived: float,
        padding: bool,
        /,
    ) -> None: ...
    def flush(self) -> None: ...
