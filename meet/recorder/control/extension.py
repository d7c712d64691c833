"""What the recordings add to the media processes: the server API's routes, the control, and the webhooks."""

from __future__ import annotations

import ssl
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from meet.media.front.fleet import Fleet
from meet.media.front.places import Places
from meet.media.front.server import FrontExtend, FrontExtension
from meet.media.hooks import WebhookSender
from meet.media.main import Extend, Extension
from meet.media.room import RoomRegistry
from meet.media.twirp import twirp_routes
from meet.media.twirp.egress_model import Compose
from meet.recorder.control.admission import Admission
from meet.recorder.control.controller import START_TIMEOUT_S, EgressController
from meet.recorder.control.metrics import RecordingMetrics
from meet.recorder.control.remote import RemoteControl, control_routes
from meet.recorder.control.rooms import finish_lost, follow_fleet, follow_registry


@dataclass(frozen=True)
class Webhooks:
    """Where events go. keys: API key to secret, the first one signs. tls: trust for an https `url` of our own."""

    url: str
    keys: Mapping[str, str]
    tls: ssl.SSLContext | None = None

    def sender(self) -> WebhookSender:
        key, secret = next(iter(self.keys.items()))
        return WebhookSender(self.url, key, secret, tls=self.tls)


@dataclass(frozen=True)
class RecordingRules:
    """admission: may refuse starts. compose: when recordings are composed that do not say it. start_timeout_s: how long
    a recorder may take to come."""

    admission: Admission | None = None
    compose: Compose | None = None
    start_timeout_s: float = START_TIMEOUT_S


def media_extension(data_dir: Path, webhooks: Webhooks, rules: RecordingRules | None = None) -> Extend:
    """For the one media process (`meet.media.main.run(..., extend=...)`).

    On a shutdown of the process the backend is not told that rooms finish: the meetings go on when it is back.
    """
    rules = rules or RecordingRules()

    async def extend(registry: RoomRegistry) -> Extension:
        sender = webhooks.sender()
        controller, metrics = _control(data_dir, rules)
        registry.add_listener(sender.on_room_event)
        controller.add_listener(sender.on_egress_event)
        follow_registry(controller, registry)
        await controller.open()

        async def close() -> None:
            await controller.close()
            await sender.close()

        routes = twirp_routes(registry, controller, webhooks.keys)
        return Extension(routes=routes, close=close, metrics=metrics.text)

    return extend


def worker_extension(places: Places, webhooks: Webhooks) -> Extend:
    """For one of several media processes: rooms and their webhooks are its own, recordings are the front's."""

    async def extend(registry: RoomRegistry) -> Extension:
        sender = webhooks.sender()
        control = RemoteControl(places.api)
        registry.add_listener(sender.on_room_event)

        async def close() -> None:
            await sender.close()
            await control.close()

        return Extension(routes=twirp_routes(registry, control, webhooks.keys), close=close)

    return extend


def front_extension(data_dir: Path, webhooks: Webhooks, rules: RecordingRules) -> FrontExtend:
    """For the front of several media processes: the one owner of all recordings."""

    async def extend(fleet: Fleet) -> FrontExtension:
        sender = webhooks.sender()
        controller, metrics = _control(data_dir, rules)
        controller.add_listener(sender.on_egress_event)
        follow_fleet(controller, fleet)
        await controller.open()

        async def close() -> None:
            await controller.close()
            await sender.close()

        return FrontExtension(
            routes=control_routes(controller),
            settled=lambda: finish_lost(controller, fleet),
            close=close,
            metrics=metrics.text,
        )

    return extend


def _control(data_dir: Path, rules: RecordingRules) -> tuple[EgressController, RecordingMetrics]:
    admission = rules.admission or Admission(data_dir / "spool")
    controller = EgressController(
        data_dir, admission=admission, compose=rules.compose, start_timeout_s=rules.start_timeout_s
    )
    return controller, RecordingMetrics(controller, admission, data_dir / "run" / "supervisor.sock")
