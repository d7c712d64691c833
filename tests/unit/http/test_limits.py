"""Fixed-window rate limits (contract 1.6)."""

from __future__ import annotations

from ipaddress import ip_network
from pathlib import Path
from typing import Any

from meet.http import FixedWindows, Limit

from .client import Reply, request
from .conftest import make_app

PATH = "/api/v1/failing"


class Clock:
    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


async def get(app: Any, what: str = "http", client: str = "198.51.100.1", **headers: str) -> Reply:
    return await request(app, "GET", f"{PATH}/{what}", headers={"x-forwarded-for": client, **headers})


async def test_a_window_fills_says_so_and_opens_again() -> None:
    clock = Clock()
    app = make_app(rate_limiter=FixedWindows({"api": Limit(60, 2, "slow down")}, clock))
    first = await get(app)
    assert (first.status, first.headers["ratelimit"]) == (409, "limit=2, remaining=1, reset=60")
    assert first.headers["ratelimit-policy"] == "2;w=60"
    clock.now += 20.5
    assert (await get(app)).headers["ratelimit"] == "limit=2, remaining=0, reset=40"
    refused = await get(app)
    assert (refused.status, refused.json()) == (429, {"error": "Too Many Requests", "message": "slow down"})
    assert (refused.headers["retry-after"], refused.headers["ratelimit"]) == ("40", "limit=2, remaining=0, reset=40")
    assert (await get(app, client="198.51.100.2")).status == 409
    clock.now += 40
    assert (await get(app)).status == 409


async def test_stacked_limits_and_exemption() -> None:
    limits = {"api": Limit(60, 5, exempt_header="x-api-key"), "special": Limit(60, 1, "special")}
    app = make_app(rate_limiter=FixedWindows(limits, Clock()))
    assert (await get(app)).status == 409
    assert (await get(app)).json()["message"] == "special"
    app = make_app(rate_limiter=FixedWindows({"api": Limit(60, 1, exempt_header="x-api-key")}, Clock()))
    for _ in range(3):
        assert (await get(app, **{"x-api-key": "anything"})).status == 409
    assert (await get(app)).status == 409
    assert (await get(app)).status == 429


async def test_successes_can_be_forgiven(tmp_path: Path) -> None:
    app = make_app(
        rate_limiter=FixedWindows({"static": Limit(300, 2, forgive_success=True)}, Clock()), docs_assets=tmp_path
    )
    assets = (tmp_path / "swagger-ui.css", tmp_path / "swagger-ui-bundle.js")
    for asset in assets:
        asset.write_text("")
    assert [(await request(app, "GET", "/docs")).status for _ in range(4)] == [200] * 4
    for asset in assets:
        asset.unlink()
    assert [(await request(app, "GET", "/docs")).status for _ in range(3)] == [503, 503, 429]


async def test_finished_windows_do_not_pile_up() -> None:
    clock = Clock()
    limiter = FixedWindows({"api": Limit(1, 1)}, clock)
    app = make_app(rate_limiter=limiter)
    for number in range(50):
        clock.now += 0.5
        assert (await get(app, client=f"198.51.100.{number}")).status == 409
    assert len(limiter._windows["api"]) <= 3


async def test_a_flood_of_addresses_is_bounded(monkeypatch: Any) -> None:
    monkeypatch.setattr("meet.http.limits._MOST_CLIENTS", 10)
    limiter = FixedWindows({"api": Limit(60, 1)}, Clock())
    app = make_app(rate_limiter=limiter)
    for number in range(50):
        assert (await get(app, client=f"198.51.100.{number}")).status == 409
    assert len(limiter._windows["api"]) == 10
    assert (await get(app, client="198.51.100.49")).status == 429


async def test_an_ipv6_host_is_one_client_whatever_its_address() -> None:
    app = make_app(rate_limiter=FixedWindows({"api": Limit(60, 1)}, Clock()))
    assert (await get(app, client="2001:db8:1:2::1")).status == 409
    assert (await get(app, client="2001:db8:1:2:ffff::9")).status == 429
    assert (await get(app, client="2001:db8:1:3::1")).status == 409
    assert (await get(app, client="::ffff:198.51.100.7")).status == 409
    assert (await get(app, client="198.51.100.7")).status == 429


async def test_an_address_that_many_people_share() -> None:
    limits = {"api": Limit(60, 1), "special": Limit(60, 1, "special", shared=True)}
    shared = [ip_network("198.51.100.0/24"), ip_network("2001:db8:1::/48")]
    app = make_app(rate_limiter=FixedWindows({"api": limits["api"]}, Clock(), shared=shared))
    for client in ("198.51.100.7", "::ffff:198.51.100.8", "2001:db8:1:2::3%eth0"):
        for _ in range(3):
            answer = await get(app, client=client)
            assert (answer.status, "ratelimit" in answer.headers) == (409, False)
    for client, second in (("203.0.113.1", 429), ("nonsense", 429)):
        assert [(await get(app, client=client)).status for _ in range(2)] == [409, second]
    app = make_app(rate_limiter=FixedWindows(limits, Clock(), shared=shared))  # passwords are guessed there, too
    assert [(await get(app)).status for _ in range(2)] == [409, 429]
