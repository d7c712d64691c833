"""Loading documents: files into one, and clear words at start-up when something is wrong."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import openapi_spec_validator
import pytest

from meet.http import Document, DocumentError, FirstCredential, HttpApp
from meet.http.bundle import bundle
from meet.http.resolver import snake_case

from .conftest import SYSTEM, TOY

HEAD = "openapi: 3.1.0\ninfo: {title: t, version: '1'}\n"
HANDLERS = "tests.unit.http.toy.handlers"


def start(folder: Path, text: str) -> HttpApp:
    path = folder / "openapi.yaml"
    path.write_text(HEAD + text)
    return HttpApp([(path, [""])], FirstCredential({}))


def operation(extra: str, name: str = "getApp") -> str:
    return f"paths: {{/a: {{get: {{operationId: {name}, x-openapi-router-controller: {HANDLERS}, {extra}}}}}}}\n"


OK = "responses: {'200': {description: ok}}"


def get(document: Any, *keys: str) -> Any:
    for key in keys:
        document = document[key]
    return document


@pytest.mark.parametrize("path", [*sorted(SYSTEM.parents[1].glob("*/openapi.yaml")), TOY], ids=lambda p: p.parent.name)
def test_every_document_is_valid_openapi(path: Path) -> None:
    openapi_spec_validator.validate(bundle(path))


def test_references_between_files(tmp_path: Path) -> None:
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / "a.yaml").write_text(
        "A: {type: object, properties: {b: {$ref: 'b.yaml'}, me: {$ref: '#/A'}}}\n"
    )
    (tmp_path / "sub" / "b.yaml").write_text("type: string\ndefault: 2026-01-01\n")
    (tmp_path / "openapi.yaml").write_text(
        HEAD
        + "paths: {}\ncomponents: {schemas: {Named: {$ref: 'sub/b.yaml'}, "
        + "Wide: {$ref: 'sub/a.yaml#/A', description: wide}}}\n"
    )
    schemas = get(bundle(tmp_path / "openapi.yaml"), "components", "schemas")
    assert schemas["A"]["properties"] == {
        "b": {"$ref": "#/components/schemas/Named"},
        "me": {"$ref": "#/components/schemas/A"},
    }
    assert schemas["Wide"] == {"allOf": [{"$ref": "#/components/schemas/A"}], "description": "wide"}
    assert schemas["Named"]["type"] == "string"


@pytest.mark.parametrize(
    ("text", "message"),
    [
        (operation(OK, "noSuchHandler"), "GET /a: tests.unit.http.toy.handlers has no async function no_such_handler"),
        (f"paths: {{/a: {{get: {{operationId: x, {OK}}}}}}}\n", "GET /a .x. has no x-openapi-router-controller"),
        (operation(OK).replace(HANDLERS, "no.such.module"), "module no.such.module cannot be imported"),
        (operation(OK).replace("/a:", "'/a/{id}':"), "the path parameters do not match the path"),
        (operation(f"security: [{{ghost: []}}], {OK}"), "security scheme ghost is not declared"),
        (operation(f"security: [{{a: [], b: []}}], {OK}"), "can be alternatives, not combined"),
        (operation(f"parameters: [{{$ref: 'lost.yaml#/X'}}], {OK}"), "lost.yaml cannot be read"),
        (operation(f"parameters: [{{$ref: '#/components/parameters/X'}}], {OK}"), "has no #/components/parameters/X"),
        (operation(f"parameters: [{{$ref: 'https://elsewhere.test/x'}}], {OK}"), "leaves this machine"),
        (operation(f"parameters: [{{name: a, in: query, schema: {{type: nonsense}}}}], {OK}"), "not a usable schema"),
        (
            operation(
                "requestBody: {content: {application/json: {schema: {allOf: [{type: string}, {type: object}]}}}}, " + OK
            ),
            "the parts of allOf disagree about type",
        ),
        (
            operation("requestBody: {content: {application/json: {schema: {x-validator: 'os:nothing'}}}}, " + OK),
            "os:nothing cannot be loaded",
        ),
    ],
)
def test_mistakes_are_reported_at_start_up(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(DocumentError, match=message):
        start(tmp_path, text)


def test_all_missing_handlers_are_named_at_once(tmp_path: Path) -> None:
    one = f"get: {{operationId: one, x-openapi-router-controller: {HANDLERS}, {OK}}}"
    two = one.replace("get:", "post:").replace("one", "two")
    with pytest.raises(DocumentError, match=r"function one; POST /a: .* function two"):
        start(tmp_path, f"paths: {{/a: {{{one}, {two}}}}}\n")


def test_a_recursive_request_schema_is_refused_not_crashed_on(tmp_path: Path) -> None:
    body = "requestBody: {content: {application/json: {schema: {$ref: '#/components/schemas/Node'}}}}, " + OK
    node = "components: {schemas: {Node: {type: object, properties: {next: {$ref: '#/components/schemas/Node'}}}}}\n"
    with pytest.raises(DocumentError, match="must not contain themselves"):
        start(tmp_path, operation(body) + node)


def test_other_versions_and_bad_base_paths_are_refused(tmp_path: Path) -> None:
    (tmp_path / "openapi.yaml").write_text("openapi: 4.0.0\npaths: {}\n")
    with pytest.raises(DocumentError, match=r"4\.0\.0 is not supported"):
        HttpApp([(tmp_path / "openapi.yaml", [""])], FirstCredential({}))
    with pytest.raises(DocumentError, match="must begin with a slash"):
        Document(TOY, ("api/",))


def test_wiring_is_inherited_from_path_item_and_root(tmp_path: Path) -> None:
    methods = f"get: {{operationId: getApp, {OK}}}, post: {{operationId: guarded, x-rate-limit: own, {OK}}}"
    app = start(
        tmp_path,
        f"x-openapi-router-controller: {HANDLERS}\nx-rate-limit: api\n"
        f"paths: {{/a: {{{methods}}}, /b: {{x-rate-limit: item, get: {{operationId: startRecord, {OK}}}}}}}\n",
    )
    limiters = {endpoint.operation_id: endpoint.limiters for endpoint in app.routes.targets()}
    assert limiters == {"getApp": ("api",), "guarded": ("own",), "startRecord": ("item",)}


def test_handler_names() -> None:
    names = ["startRecording", "getRoomConfig", "downloadRecordingsZIP", "livez", "getURLOfX"]
    assert [snake_case(name) for name in names] == [
        "start_recording",
        "get_room_config",
        "download_recordings_zip",
        "livez",
        "get_url_of_x",
    ]
