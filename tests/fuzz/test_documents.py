"""schemathesis reads the documents and talks to a live server: nothing it answers may surprise a reader of them.

The same requests every time. `MEET_FUZZ_EXAMPLES` asks for more of them per operation (`make fuzz`).
"""

from __future__ import annotations

import os
from typing import Any, TypeAlias

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, seed, settings
from hypothesis import strategies as st
from hypothesis.strategies import SearchStrategy
from schemathesis import Case, GenerationMode
from schemathesis.checks import content_type_conformance, response_headers_conformance, response_schema_conformance
from schemathesis.core.result import Ok
from schemathesis.specs.openapi.checks import status_code_conformance

from meet.api import documents, openapi_root
from meet.http import Document
from meet.http.bundle import public_view
from meet.http.documents import load

from .house import House

AnyCase: TypeAlias = Case[Any]
EXAMPLES = int(os.environ.get("MEET_FUZZ_EXAMPLES", "10"))
PAGES = Document(openapi_root() / "web" / "openapi.yaml", ("",), public=False)
DOCUMENTS = {document.path.parent.name: document for document in [*documents(""), PAGES]}
CHECKS = [status_code_conformance, content_type_conformance, response_headers_conformance, response_schema_conformance]
_QUIET = settings(
    max_examples=EXAMPLES,
    database=None,
    deadline=None,
    phases=[Phase.generate],
    suppress_health_check=list(HealthCheck),
)


def operations(document: Document) -> dict[str, Any]:
    """Label -> operation, from the document as the server publishes it."""
    base = document.base_paths[0]
    schema = schemathesis.openapi.from_dict(public_view(load(document.path, document.amend).raw, base))
    schema.config.generation.update(with_security_parameters=False)  # credentials are the house's
    found: list[Any] = []
    for result in schema.get_all_operations():
        assert isinstance(result, Ok), result
        found.append(result.ok())
    return {f"{document.path.parent.name}: {operation.label}": operation for operation in found}


OPERATIONS = {label: operation for document in DOCUMENTS.values() for label, operation in operations(document).items()}
BASES = {document.path.parent.name: document.base_paths[0] for document in DOCUMENTS.values()}


def cases(operation: Any) -> SearchStrategy[AnyCase]:
    """Requests that follow the document, and where it has rules, requests that break them."""
    good: SearchStrategy[AnyCase] = operation.as_strategy(generation_mode=GenerationMode.POSITIVE)
    if not (operation.body or operation.query or operation.headers or operation.path_parameters):
        return good
    return st.one_of(good, operation.as_strategy(generation_mode=GenerationMode.NEGATIVE))


def aim(case: AnyCase, ids: dict[str, str]) -> None:
    """Ids that exist instead of made-up ones, which would hardly ever get past 404."""
    for container in (case.path_parameters, case.query, case.body):
        if isinstance(container, dict):
            container.update({name: ids[name] for name in ids.keys() & container.keys()})


@pytest.mark.parametrize("label", OPERATIONS)
def test_operation_answers_as_documented(house: House, label: str) -> None:
    operation = OPERATIONS[label]
    base = house.url + BASES[label.partition(":")[0]]
    documented = operation.definition.raw["responses"]

    @seed(20)
    @_QUIET
    @given(case=cases(operation), who=st.sampled_from(sorted(house.credentials)), real=st.integers(0, 3))
    def exchange(case: AnyCase, who: str, real: int) -> None:
        if operation.method != "get":
            house.furnish()
        if real:
            aim(case, house.ids)
        response = case.call(base_url=base, session=house.session, headers=house.credentials[who](), timeout=120)
        assert response.status_code < 500 or (response.status_code == 503 and "503" in documented), response.text
        case.validate_response(response, checks=CHECKS)

    exchange()
