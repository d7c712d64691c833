"""The models against the documents, property by property."""

from __future__ import annotations

from types import NoneType, UnionType
from typing import Any, Literal, Union, get_args, get_origin

import pytest
from pydantic import TypeAdapter

from meet.client.models.administration import ApiKey
from meet.client.models.base import Model, Selection
from meet.client.models.rooms import Room
from meet.client.resource import PageReader
from meet.http.merge import merge_all_of
from tests.unit.client.calls import ARGUMENTS, ask
from tests.unit.client.documents import described

_NO_MODELS = {
    "getRecordingMedia",
    "downloadRecording",
    "downloadRecordings",
    "getPlaylistMedia",
    "getRecordingStream",
    "getRecordingPlaylist",
}
_ADDED_BY_LISTS = {"_extraFields"}
_SCALARS: dict[str, set[Any]] = {"string": {str}, "integer": {int}, "number": {int, float}, "boolean": {bool}}


def compare(annotation: Any, schema: dict[str, Any], where: str) -> None:
    """Fail unless the annotation is how the schema is to be read."""
    kinds = set(get_args(annotation)) if get_origin(annotation) in (Union, UnionType) else {annotation}
    kinds -= {NoneType}
    if "oneOf" in schema:
        words, options = schema["oneOf"]
        compare(next(kind for kind in kinds if _is_model(kind)), options, where)
        kinds = {kind for kind in kinds if not _is_model(kind)}
        schema = words
    if "enum" in schema:
        literals = [kind for kind in kinds if get_origin(kind) is Literal]
        assert literals and set(get_args(literals[0])) == set(schema["enum"]), f"{where}: {kinds} for {schema['enum']}"
        assert str in kinds, f"{where}: a new word would be refused"
    elif schema["type"] == "array":
        (kind,) = kinds
        item, ellipsis = get_args(kind)
        assert get_origin(kind) is tuple
        assert ellipsis is ...
        compare(item, schema["items"], f"{where}[]")
    elif "properties" in schema:
        (kind,) = kinds
        compare_model(kind, schema, where)
    elif schema["type"] == "object":
        assert {get_origin(kind) for kind in kinds} == {dict}, where
    else:
        assert kinds == _SCALARS[schema["type"]], f"{where}: {kinds} for {schema['type']}"


def compare_model(model: type[Model], schema: dict[str, Any], where: str) -> None:
    """Fail unless the model has the same properties, of the same kinds."""
    assert _is_model(model), f"{where}: {model}"
    properties = {name: part for name, part in schema["properties"].items() if name not in _ADDED_BY_LISTS}
    fields = {str(field.alias): field for field in model.model_fields.values()}
    assert set(fields) == set(properties), where
    for name, part in properties.items():
        if name not in schema.get("required", ()) and not issubclass(model, Selection):
            assert not fields[name].is_required(), f"{where}.{name} may be missing"
        compare(fields[name].annotation, part, f"{where}.{name}")


def _is_model(kind: Any) -> bool:
    return isinstance(kind, type) and issubclass(kind, Model)


@pytest.mark.parametrize("operation_id", sorted(set(ARGUMENTS) - _NO_MODELS))
def test_an_answer_is_read_as_documented(operation_id: str) -> None:
    schema = described()[operation_id].answer
    assert schema is not None
    schema = merge_all_of(schema, operation_id)
    reader: Any = ask(operation_id).answer
    if isinstance(reader, PageReader):
        compare(tuple[reader.item, ...], schema["properties"][reader.key], operation_id)
    elif isinstance(reader.__self__, TypeAdapter):
        assert operation_id == "getApiKeys"
        compare(tuple[ApiKey, ...], schema, operation_id)
    else:
        compare_model(reader.__self__, schema, operation_id)


ROOM: dict[str, Any] = {"roomId": "a-1", "roomName": "A", "status": "open"}


def test_what_a_newer_server_adds_is_no_obstacle() -> None:
    room = Room.model_validate({**ROOM, "status": "haunted", "colour": {"wall": "red"}})
    assert room.status == "haunted"
    assert room.to_json() == {**ROOM, "status": "haunted", "colour": {"wall": "red"}}


def test_a_field_that_was_not_sent_is_not_taken_for_a_value() -> None:
    room = Room.model_validate(ROOM)
    assert room.config is None
    with pytest.raises(AttributeError, match="owner"):
        _ = room.owner


def test_whole_numbers_stay_whole() -> None:
    assert (
        Room.model_validate({**ROOM, "autoDeletionDate": 1795000000000}).to_json()["autoDeletionDate"] == 1795000000000
    )


def test_secrets_are_not_shown() -> None:
    assert "s3cret" not in repr(ApiKey(key="ovmeet-s3cret", creation_date=1))
