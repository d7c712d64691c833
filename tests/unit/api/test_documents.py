"""What all documents have in common."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import openapi_spec_validator
import pytest

from meet.api import documents
from meet.http.documents import Document, load

OURS = [document for document in documents() if document.path.parent.name != "system"]
PROMISED = {
    "startRecording": {201, 401, 403, 404, 409, 422, 500, 503},
    "getRecordings": {200, 401, 403, 422, 500},
    "bulkDeleteRecordings": {200, 400, 401, 403, 422, 500},
    "downloadRecordings": {200, 400, 401, 403, 422, 500},
    "getRecording": {200, 400, 401, 403, 404, 422, 500},
    "deleteRecording": {200, 401, 403, 404, 409, 422, 500},
    "getRecordingMedia": {200, 206, 400, 401, 403, 404, 409, 416, 422, 500},
    "stopRecording": {202, 401, 403, 404, 409, 422, 500},
    "getRecordingUrl": {200, 401, 403, 404, 422, 500},
}
"""What the recordings surface of v3.6 lists; clients written against it rely on these."""
METHODS = ("get", "put", "post", "delete", "patch")


def operations(document: Document) -> Iterator[dict[str, Any]]:
    for item in load(document.path)["paths"].values():
        for method in METHODS:
            if method in item:
                yield item[method]


@pytest.mark.parametrize("document", OURS, ids=lambda document: document.path.parent.name)
def test_documents_are_openapi_3_1(document: Document) -> None:
    specification = load(document.path)
    assert specification["openapi"] == "3.1.0"
    openapi_spec_validator.validate(specification.spec)


@pytest.mark.parametrize("document", OURS, ids=lambda document: document.path.parent.name)
def test_every_body_has_a_schema(document: Document) -> None:
    for operation in operations(document):
        for status, response in operation["responses"].items():
            for media in response.get("content", {}).values():
                assert media.get("schema"), (operation["operationId"], status)


def test_operations_with_services_behind_them_can_fail() -> None:
    for document in OURS:
        for operation in operations(document):
            trivial = {"logout", "getCaptionsConfig", "receiveWebhook"}
            assert ("500" in operation["responses"]) == (operation["operationId"] not in trivial)


def test_operation_ids_are_unique() -> None:
    ids = [operation["operationId"] for document in OURS for operation in operations(document)]
    assert len(ids) == len(set(ids))


def test_everything_is_served_below_the_base_path_and_at_the_root() -> None:
    public, internal, coming, extra, livekit, system = documents("/team")
    assert public.base_paths == ("/team/api/v1", "/api/v1")
    assert internal.base_paths == ("/team/internal-api/v1", "/internal-api/v1")
    assert coming.base_paths == public.base_paths
    assert extra.base_paths == ("/team/api/extra/v1", "/api/extra/v1")
    assert livekit.base_paths == ("",)
    assert system.base_paths == ("/team", "")


def test_a_root_base_path_is_served_once() -> None:
    assert documents("")[0].base_paths == ("/api/v1",)


def test_recordings_list_every_status_that_clients_know() -> None:
    found = {
        operation["operationId"]: {int(status) for status in operation["responses"]}
        for operation in operations(documents()[0])
    }
    for name, statuses in PROMISED.items():
        assert statuses <= found[name], name
