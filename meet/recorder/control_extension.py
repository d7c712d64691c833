"""What the recordings add to the media process: the server API's routes, the control, and the webhooks."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from pathlib import Path

from meet.media.hooks import WebhookSender
from meet.media.main import Extend, Extension
from meet.media.room import RoomRegistry
from meet.media.twirp import twirp_routes
from meet.recorder.control import EgressController
from meet.recorder.control_admission import Admission


def media_extension(
    data_dir: Path,
    keys: Mapping[str, str],
    webhook_url: str,
    *,
    tls: ssl.SSLContext | None = None,
    admission: Admission | None = None,
) -> Extend:
    """For `meet.media.main.run(..., extend=...)`.

    keys: API key to secret, the first one signs the webhooks. tls: trust for an https `webhook_url` of our own.
    admission: may refuse starts.
    On a shutdown of the process the backend is not told that rooms finish: the meetings go on when it is back.
    """

    async def extend(registry: RoomRegistry) -> Extension:
        key, secret = next(iter(keys.items()))
        sender = WebhookSender(webhook_url, key, secret, tls=tls)
        controller = EgressController(data_dir, admission=admission)
        registry.add_listener(sender.on_room_event)
        controller.add_listener(sender.on_egress_event)
        controller.follow(registry)
        await controller.open()

        async def close() -> None:
            await controller.close()
            await sender.close()

        return Extension(routes=twirp_routes(registry, controller, keys), close=close)

    return extend
