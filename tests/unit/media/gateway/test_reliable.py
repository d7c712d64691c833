"""The log behind lossless data across a resume."""

from __future__ import annotations

from meet.media.gateway.reliable import KEEP_BYTES, KEEP_S, ReliableLog

EVERYBODY: frozenset[str] = frozenset()


def missed(log: ReliableLog, identity: str, after: int, *, since: float = 0.0, now: float = 1.0) -> list[bytes]:
    return list(log.missed(identity, after, since, now))


def test_repetitions_are_not_accepted() -> None:
    log = ReliableLog()
    assert [log.accept(n) for n in (1, 2, 2, 1, 3)] == [True, True, False, False, True]
    assert log.last == 3


def test_senders_without_numbers_are_always_accepted_and_never_repeated() -> None:
    log = ReliableLog()
    assert log.accept(0)
    assert log.accept(0)
    log.keep(0, b"x", EVERYBODY, 1.0)
    assert missed(log, "bob", 0) == []


def test_what_a_receiver_missed() -> None:
    log = ReliableLog()
    for number, destinations in ((1, EVERYBODY), (2, frozenset({"carol"})), (3, frozenset({"bob"})), (4, EVERYBODY)):
        log.keep(number, b"%d" % number, destinations, float(number))
    assert missed(log, "bob", 1, now=5) == [b"3", b"4"]
    assert missed(log, "carol", 0, now=5) == [b"1", b"2", b"4"]
    assert missed(log, "dave", 0, since=3.5, now=5) == [b"4"]  # nothing from before he came
    assert missed(log, "bob", 0, now=3 + KEEP_S + 0.5) == [b"4"]


def test_it_is_bounded_in_bytes_and_time() -> None:
    log = ReliableLog()
    for number in range(1, 20):
        log.keep(number, bytes(KEEP_BYTES // 10), EVERYBODY, 1.0)
    assert len(missed(log, "bob", 0)) == 10
    log.keep(99, b"new", EVERYBODY, 1.0 + KEEP_S + 1)
    assert missed(log, "bob", 0, now=2.0 + KEEP_S) == [b"new"]
