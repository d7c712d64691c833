"""Who may call: the first credential that is present decides alone (contract 1.4.1), and when it is asked."""

from __future__ import annotations

import pytest

from meet.http import HttpApp

from .client import Reply, request

GUARDED = "/api/v1/guarded"


async def post(app: HttpApp, headers: dict[str, str], query: str = "?size=1", body: bytes = b"{}") -> Reply:
    sent = {"content-type": "application/json", **headers}
    return await request(app, "POST", GUARDED + query, headers=sent, body=body)


@pytest.mark.parametrize(
    ("headers", "principal"),
    [
        ({"x-api-key": "good"}, "key"),
        ({"X-API-KEY": "good", "authorization": "Bearer bad"}, "key"),
        ({"authorization": "Bearer good"}, "token"),
        ({"authorization": "Basic good"}, "anyone"),
        ({"authorization": "Bearer "}, "anyone"),
        ({}, "anyone"),
    ],
)
async def test_accepted(app: HttpApp, headers: dict[str, str], principal: str) -> None:
    assert (await post(app, headers)).json()["principal"] == principal


@pytest.mark.parametrize(
    ("headers", "message"),
    [
        ({"x-api-key": "bad"}, "Invalid API key"),
        ({"x-api-key": "bad", "authorization": "Bearer good"}, "Invalid API key"),
        ({"authorization": "Bearer bad"}, "Invalid token"),
    ],
)
async def test_a_wrong_credential_never_falls_through(app: HttpApp, headers: dict[str, str], message: str) -> None:
    reply = await post(app, headers)
    assert (reply.status, reply.json()) == (401, {"error": "Authentication Error", "message": message})


async def test_query_fallback_and_query_scheme(app: HttpApp) -> None:
    assert (await post(app, {}, "?size=1&accessToken=good")).json()["principal"] == "token"
    assert (await post(app, {}, "?size=1&accessToken=bad")).status == 401
    linked = await request(app, "GET", f"{GUARDED}?size=1&linkSecret=abc")
    assert linked.json()["principal"] == "link abc"


async def test_a_credential_of_an_unlisted_scheme_is_ignored(app: HttpApp) -> None:
    reply = await request(app, "GET", f"{GUARDED}?size=1", headers={"authorization": "Bearer good"})
    assert (reply.status, reply.json()["message"]) == (401, "Unauthorized")


async def test_order_malformed_body_then_credentials_then_validation(app: HttpApp) -> None:
    bad = {"x-api-key": "bad"}
    assert (await post(app, bad, "?size=x", b"{")).status == 400
    assert (await post(app, bad, "?size=x", b"[]")).status == 401
    assert [field for field, _ in (await post(app, {}, "?size=x", b"[]")).details] == ["size"]
    assert [field for field, _ in (await post(app, {}, "?size=1", b"[]")).details] == [""]


async def test_validate_first_flips_the_order(app: HttpApp) -> None:
    assert (await request(app, "GET", f"{GUARDED}?size=x")).status == 422
    assert (await request(app, "GET", f"{GUARDED}?size=1")).status == 401


async def test_a_missing_optional_body_is_the_empty_object(app: HttpApp) -> None:
    assert (await request(app, "POST", f"{GUARDED}?size=1")).json()["body"] == {}
