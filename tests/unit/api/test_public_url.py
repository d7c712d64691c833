"""Which base URL links outside of requests get."""

from __future__ import annotations

from meet.api.public_url import PublicUrl


def test_participants_know_the_address_better_than_integrations() -> None:
    known = PublicUrl("http://localhost:6080/meet")
    assert known.current == "http://localhost:6080/meet"
    known.seen_by_integration("http://meet:6080/meet")
    assert known.current == "http://meet:6080/meet"
    known.seen_by_participant("https://meet.example/meet")
    known.seen_by_integration("http://meet:6080/meet")
    assert known.current == "https://meet.example/meet"
