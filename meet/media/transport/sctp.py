"""Data channels over DTLS: aiortc's SCTP association, with bounds on what one client can make us hold and do."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any

import structlog
from aiortc.rtcdatachannel import RTCDataChannel, RTCDataChannelParameters
from aiortc.rtcsctptransport import RTCSctpCapabilities, RTCSctpTransport

from meet.media.transport.budget import WorkBudget
from meet.media.transport.sctp_check import sane

if TYPE_CHECKING:
    from meet.media.transport.aiortc_adapter import Dtls

log = structlog.get_logger(__name__)

MAX_MESSAGE = 262144
"""Largest data channel message, bytes; also in our SDP."""
SCTP_PORT = 5000
_MAX_CHANNELS = 16
_MAX_STREAMS = 64
_MAX_HELD = 2 << 20
"""Bytes of messages that are not complete yet; twice what we announce as our window."""
_MAX_FRAGMENTS = 1024
"""Pieces of such messages: one of the largest size has 219, unless somebody cuts them smaller than need be."""
_MAX_OUT_OF_ORDER = 512
"""Chunks behind a gap. Every further one costs more work than the one before; they are sent again anyway."""
_DATA = b"\x00"
_HEADER = 12


class _Guarded(RTCSctpTransport):
    """Private names used, guarded by `tests/unit/media/transport/test_sctp.py`: `_handle_data`, `_advertised_rwnd`,
    `_inbound_streams` and their `reassembly`, `_sack_misordered`, `_last_received_tsn`, `_data_channel_queue`,
    `_sent_queue`, `_outbound_queue`.
    """

    def __init__(self, transport: Any, on_refused: Callable[[], None] = lambda: None) -> None:
        super().__init__(transport)
        self._on_refused = on_refused
        self._window = self._advertised_rwnd
        self._budget = WorkBudget()
        self._refused = False

    async def _handle_data(self, data: bytes) -> None:
        """One SCTP packet. What cannot be right ends the association, never the connection that media runs over."""
        if self._refused or self._too_far(data) or not sane(data, len(self._sent_queue)):
            return
        started = time.thread_time()
        try:
            await super()._handle_data(data)
        except ConnectionError:
            raise
        except Exception as error:
            await self._refuse(type(error).__name__)
            return
        if self._holds_too_much:
            await self._refuse("too much is held")
            return
        # Not reading on is what slows a sender down: its packets are dropped, and it sends them later.
        pause = self._budget.spend(time.thread_time() - started)
        if pause:
            await asyncio.sleep(pause)

    @property
    def _holds_too_much(self) -> bool:
        streams = self._inbound_streams
        if self._window - self._advertised_rwnd > _MAX_HELD or len(streams) > _MAX_STREAMS:
            return True
        return sum(len(stream.reassembly) for stream in streams.values()) > _MAX_FRAGMENTS

    def _too_far(self, data: bytes) -> bool:
        """Beyond a gap with enough behind it already? Only what closes the gap is of use then (RFC 9260 6.2)."""
        last = self._last_received_tsn
        if len(self._sack_misordered) < _MAX_OUT_OF_ORDER or last is None or data[_HEADER : _HEADER + 1] != _DATA:
            return False
        ahead = int.from_bytes(data[_HEADER + 4 : _HEADER + 8], "big") - last & 0xFFFFFFFF
        return 1 < ahead < 0x80000000

    async def _refuse(self, why: str) -> None:
        self._refused = True
        log.warning("data_channels_ended", reason=why)
        self._on_refused()
        await self.stop()
        self.release()

    def release(self) -> None:
        """Forget what was received and not delivered, and what was never sent."""
        self._inbound_streams.clear()
        self._sack_misordered.clear()
        self._data_channel_queue.clear()
        self._outbound_queue.clear()
        self._sent_queue.clear()
        self._on_refused = lambda: None


class Sctp:
    """Data channels of one peer. on_message(label, payload) is called for every binary message.

    on_refused: the client did what no honest one does, and its data channels are closed for good.
    """

    def __init__(
        self, dtls: Dtls, on_message: Callable[[str, bytes], None], on_refused: Callable[[], None] = lambda: None
    ) -> None:
        self._native = _Guarded(dtls.native, on_refused)
        self._on_message = on_message
        self._channels: dict[str, RTCDataChannel] = {}
        self._native.on("datachannel", self._adopt)

    async def start(self) -> None:
        with contextlib.suppress(ConnectionError):  # closed meanwhile
            await self._native.start(RTCSctpCapabilities(maxMessageSize=MAX_MESSAGE), SCTP_PORT)

    def create(self, label: str, *, reliable: bool) -> None:
        """Open a channel: ordered and reliable, or unordered without retransmissions."""
        parameters = RTCDataChannelParameters(label=label, ordered=reliable, maxRetransmits=None if reliable else 0)
        self._adopt(RTCDataChannel(self._native, parameters))

    def _adopt(self, channel: RTCDataChannel) -> None:
        if channel.label not in self._channels and len(self._channels) >= _MAX_CHANNELS:
            channel.close()
            return
        self._channels[channel.label] = channel
        label = channel.label

        def received(message: bytes | str) -> None:
            if isinstance(message, bytes):
                self._on_message(label, message)

        channel.on("message", received)

    def is_open(self, label: str) -> bool:
        channel = self._channels.get(label)
        return channel is not None and channel.readyState == "open"

    def buffered(self, label: str) -> int:
        """Bytes accepted but not yet sent."""
        channel = self._channels.get(label)
        return channel.bufferedAmount if channel is not None else 0

    def send(self, label: str, data: bytes) -> bool:
        """Queue a message. False when the channel is not open or the client announced a smaller limit."""
        channel = self._channels.get(label)
        if channel is None or channel.readyState != "open":
            return False
        try:
            channel.send(data)
        except ValueError:
            return False
        return True

    async def stop(self) -> None:
        """Abort the association and drop everything that was waiting."""
        await self._native.stop()
        self._native.release()
        for channel in self._channels.values():
            channel.remove_all_listeners()
        self._channels.clear()
        self._on_message = lambda _label, _data: None
