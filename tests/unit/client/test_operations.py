"""The client against the documents: every operation is there, and asks for what its document describes."""

from __future__ import annotations

import re

import jsonschema_rs
import pytest

from meet.http.merge import merge_all_of
from tests.unit.client.calls import ARGUMENTS, ask, operations
from tests.unit.client.documents import described

_NOT_MADE_FOR = {"createAssistant", "cancelAssistant"}  # live captions: what a page asks for, not a program
_DOWNLOADS = {
    "getRecordingMedia",
    "downloadRecording",
    "downloadRecordings",
    "getPlaylistMedia",
    "getRecordingStream",
}


def test_every_operation_of_the_documents_has_a_method() -> None:
    documented = set(described())
    assert documented >= _NOT_MADE_FOR
    assert documented - _NOT_MADE_FOR == set(operations())
    assert sum(operation.document == "meet" for operation in described().values()) == 32


def test_every_operation_is_in_the_table() -> None:
    assert set(ARGUMENTS) == set(operations())


@pytest.mark.parametrize("operation_id", sorted(set(ARGUMENTS) - _DOWNLOADS))
def test_a_request_is_what_the_document_describes(operation_id: str) -> None:
    asked, document = ask(operation_id), described()[operation_id]
    pattern = re.sub(r"\\{\w+\\}", "[^/]+", re.escape(document.path))

    assert asked.method == document.method
    assert re.fullmatch(pattern, asked.path), f"{asked.path} is not {document.path}"
    documented = {parameter["name"] for parameter in document.parameters if parameter["in"] == "query"}
    assert set(asked.query) <= documented
    unused = documented - set(asked.query) - {"secret"}  # the older name of recordingSecret
    assert not unused, f"the client cannot send {unused}"
    if document.body is None:
        assert asked.body is None
    else:
        schema = merge_all_of(document.body, operation_id)
        assert isinstance(asked.body, dict)
        assert set(asked.body) <= set(schema["properties"])
        jsonschema_rs.validate(schema, asked.body)
