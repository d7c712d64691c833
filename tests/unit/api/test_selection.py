"""Field selection: what `fields`, `extraFields` and their headers leave in an answer."""

from __future__ import annotations

from types import SimpleNamespace
from typing import Any, cast

import pytest

from meet.api.selection import RECORDING, ROOM, Fields
from meet.http import Call

DOCUMENT = {"roomId": "a-1", "roomName": "A", "config": {}, "roles": {}, "status": "open"}


def call(**params: str) -> Call:
    names = {"x_fields": "X-Fields", "x_extra_fields": "X-ExtraFields"}
    return cast(Call, SimpleNamespace(params={names.get(name, name): value for name, value in params.items()}))


def selected(fields: Fields, request: Call) -> dict[str, Any]:
    return fields.select(DOCUMENT, fields.chosen(request))


@pytest.mark.parametrize(
    ("params", "names"),
    [
        ({}, ["roomId", "roomName", "status"]),
        ({"fields": "roomId"}, ["roomId"]),
        ({"fields": " roomId , status,roomId,"}, ["roomId", "status"]),
        ({"fields": "roomId", "x_fields": "status"}, ["roomId", "status"]),
        ({"extraFields": "config"}, ["roomId", "roomName", "config", "status"]),
        ({"fields": "status", "extraFields": "roles", "x_extra_fields": "config"}, ["config", "roles", "status"]),
        ({"fields": ""}, ["roomId", "roomName", "status"]),
        ({"fields": "nonsense"}, ["roomId", "roomName", "status"]),
        ({"fields": "config"}, ["roomId", "roomName", "status"]),
        ({"extraFields": "roomName"}, ["roomId", "roomName", "status"]),
    ],
)
def test_the_chosen_names_are_sent(params: dict[str, str], names: list[str]) -> None:
    assert list(selected(ROOM, call(**params))) == [*names, "_extraFields"]


def test_the_available_extra_names_are_told_whatever_was_chosen() -> None:
    assert selected(ROOM, call(fields="roomId"))["_extraFields"] == ["config", "roles"]


def test_resources_without_extra_fields_do_not_mention_them() -> None:
    assert selected(RECORDING, call(fields="roomId", extraFields="config")) == {"roomId": "a-1"}
