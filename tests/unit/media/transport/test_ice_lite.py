"""Credentials, nomination, consent and restart with a fake clock."""

from __future__ import annotations

import socket
from collections.abc import Iterator

import pytest

from meet.media.transport.addresses import candidates, local_ipv4
from meet.media.transport.ice_lite import IceLite, Path
from tests.unit.media.fakes import Clock


@pytest.fixture
def paths() -> Iterator[tuple[Path, Path]]:
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as sock:
        yield Path(sock, ("10.0.0.1", 1)), Path(sock, ("10.0.0.2", 2))


def test_first_check_gives_a_path_nomination_moves_it(paths: tuple[Path, Path]) -> None:
    ice, (one, two) = IceLite(Clock()), paths
    assert ice.checked(ice.ufrag, one, nominated=False)
    assert not ice.checked(ice.ufrag, two, nominated=False)
    assert ice.path == one
    assert ice.checked(ice.ufrag, two, nominated=True)
    assert ice.path == two
    assert not ice.checked(ice.ufrag, two, nominated=True)


def test_restart_keeps_the_old_path_until_the_new_credentials_are_used(paths: tuple[Path, Path]) -> None:
    ice, (one, two) = IceLite(Clock()), paths
    old = (ice.ufrag, ice.pwd)
    ice.checked(ice.ufrag, one, nominated=True)
    ice.restart()
    assert (ice.ufrag, ice.pwd) != old
    assert ice.password_for(old[0]) == old[1]
    assert not ice.checked(old[0], two, nominated=True)
    assert ice.path == one
    assert ice.checked(ice.ufrag, two, nominated=True)
    assert ice.password_for(old[0]) is None


def test_consent_ages_and_is_renewed(paths: tuple[Path, Path]) -> None:
    clock = Clock()
    ice = IceLite(clock)
    clock.now += 31
    assert ice.consent_age() == 31
    ice.checked(ice.ufrag, paths[0], nominated=False)
    assert ice.consent_age() == 0
    clock.now += 5
    ice.touch()
    assert ice.consent_age() == 0


def test_every_local_address_is_a_candidate_loopback_last() -> None:
    addresses = local_ipv4()
    assert addresses[-1].startswith("127.")
    found = candidates(addresses, 7882)
    assert [c.host for c in found] == addresses
    priorities = [c.priority for c in found]
    assert priorities == sorted(priorities, reverse=True)
    assert found[0].line(1) == f"a=candidate:1 1 udp {found[0].priority} {addresses[0]} 7882 typ host"
