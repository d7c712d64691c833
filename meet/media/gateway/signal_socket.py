"""The server's half of a signalling WebSocket."""

from __future__ import annotations

from aiohttp import web

_MAX_MESSAGE = 1 << 20
_HEARTBEAT_S = 20.0


class SignalSocket(web.WebSocketResponse):
    """Messages of up to 1 MiB, and a ping after 20 s in which the client said nothing.

    aiohttp 3.14 starts that timer again when the client's half of a close arrives, after it was cancelled, and so kept
    every ended connection with its buffers for another half minute.
    """

    def __init__(self) -> None:
        super().__init__(max_msg_size=_MAX_MESSAGE, heartbeat=_HEARTBEAT_S, compress=False)

    def _on_data_received(self) -> None:
        if not self.closed and self.close_code is None:
            super()._on_data_received()
