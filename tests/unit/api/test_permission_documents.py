"""The documents of the newer modes: as valid, and as complete, as the files they are made of."""

from __future__ import annotations

from functools import cache
from typing import Any

import openapi_spec_validator
import pytest

from meet.api import documents
from meet.core.model.permissions import PERMISSIONS
from meet.core.permission_names import NAMES, Mode
from meet.http.bundle import public_view
from meet.http.documents import load

OLD = set(PERMISSIONS)
NEW = {name for names in NAMES.values() for name in names}


@cache
def raw(mode: Mode) -> dict[str, Any]:
    document = documents("/meet", mode)[0]
    specification: dict[str, Any] = load(document.path, document.amend).raw
    return specification


@pytest.mark.parametrize("mode", ["compatibility", "3.9.0"])
def test_amended_documents_are_openapi(mode: Mode) -> None:
    openapi_spec_validator.validate(raw(mode))


@pytest.mark.parametrize(("mode", "answered"), [("compatibility", OLD | NEW), ("3.9.0", NEW)])
def test_every_name_is_described(mode: Mode, answered: set[str]) -> None:
    view = public_view(raw(mode), "/")
    schemas = view["components"]["schemas"]
    complete, partial = schemas["Permissions"], schemas["PartialPermissions"]
    assert set(complete["properties"]) == set(complete["required"]) == answered
    assert all(schema["description"] for schema in complete["properties"].values())
    assert set(partial["properties"]) == OLD | NEW
    assert {name for name in OLD if partial["properties"][name].get("deprecated")} == OLD
    assert {name for name in OLD if partial["properties"][name].get("not") == {}} == (OLD if mode == "3.9.0" else set())


def test_the_header_is_documented_where_old_names_are_answered() -> None:
    found = {
        operation["operationId"]
        for item in raw("compatibility")["paths"].values()
        for operation in item.values()
        if isinstance(operation, dict)
        for response in operation["responses"].values()
        if "Deprecation" in response.get("headers", {})
    }
    assert found == {
        "createRoom",
        "getRooms",
        "bulkDeleteRooms",
        "getRoom",
        "deleteRoom",
        "updateRoomStatus",
        "updateRoomRoles",
        "createRoomMember",
        "getRoomMembers",
        "getRoomMember",
        "updateRoomMember",
    }


def test_the_default_is_what_the_files_say() -> None:
    assert all(document.amend is None for document in documents())
