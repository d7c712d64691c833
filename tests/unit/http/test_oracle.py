"""The contract tests' judge must itself be able to say no."""

from __future__ import annotations

import pytest
from connexion.exceptions import NonConformingResponse

from meet.http import HttpApp
from tests.contract.oracle import Oracle, UndocumentedStatus

from .client import request


@pytest.fixture
def oracle(app: HttpApp) -> Oracle:
    return Oracle(app)


@pytest.mark.parametrize("base", ["/api/v1", "/meet/api/v1"])
async def test_conforming_exchanges_pass_through_unchanged(app: HttpApp, oracle: Oracle, base: str) -> None:
    for method, path, body in (
        ("GET", "/things/abc", None),
        ("POST", "/things", {"kind": "big", "name": "Ann"}),
        ("GET", "/apps/x:startRecord", None),
        ("GET", "/stream", None),
    ):
        judged = await request(oracle, method, base + path, json=body)
        direct = await request(app, method, base + path, json=body)
        assert (judged.status, judged.body) == (direct.status, direct.body)
    assert oracle.judged == 4


async def test_a_body_that_does_not_conform_raises(oracle: Oracle) -> None:
    with pytest.raises(NonConformingResponse, match="'thingId' is a required property"):
        await request(oracle, "GET", "/api/v1/things/wrong")


async def test_an_undocumented_status_raises(oracle: Oracle) -> None:
    with pytest.raises(UndocumentedStatus, match="get_thing answered 422"):
        await request(oracle, "GET", "/api/v1/things/---")


async def test_preflight_and_head_are_not_judged(oracle: Oracle) -> None:
    assert (await request(oracle, "OPTIONS", "/api/v1/things")).status == 204
    assert (await request(oracle, "HEAD", "/api/v1/things/abc")).status == 200
    assert oracle.judged == 0
