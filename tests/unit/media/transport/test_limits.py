"""Token buckets, work budgets, and what is limited per source."""

from __future__ import annotations

import pytest

from meet.media.gateway.refusals import BURST, RATE, Refusals
from meet.media.transport import waiting
from meet.media.transport.budget import TokenBucket, WorkBudget
from meet.media.transport.sources import source
from tests.unit.media.fakes import Clock


def test_a_bucket_grants_its_burst_and_then_its_rate() -> None:
    clock = Clock()
    bucket = TokenBucket(10, 5, clock)
    assert bucket.take(3) == 3
    assert bucket.take(3) == 2
    assert bucket.take() == 0
    clock.now += 0.25
    assert bucket.take(9) == 2
    clock.now += 100
    assert bucket.take(9) == 5


def test_work_is_paid_for_at_a_quarter_of_the_time() -> None:
    clock = Clock()
    budget = WorkBudget(clock)
    assert budget.spend(0.2) == 0
    assert budget.spend(0.3) == pytest.approx(1.0)
    clock.now += 1.0
    assert budget.spend(0.0) == 0


@pytest.mark.parametrize(
    ("host", "key"),
    [
        ("192.0.2.7", "192.0.2.7"),
        ("::ffff:192.0.2.7", "192.0.2.7"),
        ("2001:db8:1:2:3::4", "2001:db8:1:2::/64"),
        ("fe80::1%eth0", "fe80::/64"),
        ("127.0.0.1", ""),
        ("::1", ""),
        ("::ffff:127.0.0.1", ""),
        ("", ""),
        (None, ""),
        ("not an address", ""),
    ],
)
def test_sources(host: str | None, key: str) -> None:
    assert source(host) == key


def test_an_address_with_many_refusals_is_turned_away_for_a_while() -> None:
    clock = Clock()
    refusals = Refusals(clock)
    for _ in range(BURST):
        assert not refusals.too_many("192.0.2.1")
        refusals.count("192.0.2.1")
    assert refusals.too_many("192.0.2.1")
    assert not refusals.too_many("192.0.2.2")
    clock.now += 2 / RATE
    assert not refusals.too_many("192.0.2.1")


def test_a_local_proxy_is_not_turned_away() -> None:
    refusals = Refusals(Clock())
    for _ in range(2 * BURST):
        refusals.count("127.0.0.1")
    assert not refusals.too_many("127.0.0.1")
    assert refusals.addresses == 0


def test_addresses_are_remembered_in_bounded_number() -> None:
    refusals = Refusals(Clock())
    for number in range(10_000):
        refusals.count(f"10.{number >> 16}.{number >> 8 & 255}.{number & 255}")
    assert refusals.addresses == 4096


def test_of_too_many_from_one_source_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MAX_PER_SOURCE", 2)
    register: waiting.Waiting[str] = waiting.Waiting()
    assert register.add("a", "192.0.2.1") == register.add("b", "192.0.2.1") == register.add("x", "192.0.2.9") == []
    assert register.add("c", "192.0.2.1") == ["a"]
    assert register.add("c", "192.0.2.1") == []
    register.discard("b")
    register.discard("b")
    assert register.add("d", "192.0.2.1") == []
    assert list(register) == ["x", "c", "d"]


def test_of_too_many_altogether_the_oldest_goes(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(waiting, "MAX_WAITING", 3)
    register: waiting.Waiting[int] = waiting.Waiting()
    ended = [n for number in range(10) for n in register.add(number, f"192.0.2.{number}")]
    assert ended == [0, 1, 2, 3, 4, 5, 6]
    assert (len(register), register.ended) == (3, 7)
