"""The compiled lane gives every answer that the Python lane gives, whatever comes."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from meet.media.sfu.lane import Lane, new_lane
from tests.unit.media.fakes import Clock, FakeMux, FakePeer
from tests.unit.media.fastpath.kinds import outbox_of

WORD = st.integers(0, 0xFFFF)


@dataclass(frozen=True)
class Bind:
    sequence: int
    offset: int
    descriptor: bytes


@dataclass(frozen=True)
class Packet:
    step: int
    timestamp: int
    marker: int
    descriptor: bytes
    payload: bytes
    padding: bool


DESCRIPTOR = st.one_of(
    st.just(b""),
    st.binary(max_size=7),
    st.builds(
        lambda picture, tl0: bytes([0x90, 0xE0, 0x80 | picture >> 8, picture & 0xFF, tl0, 0x20]),
        st.integers(0, 0x7FFF),
        st.integers(0, 255),
    ),
)
BIND = st.builds(Bind, WORD, st.integers(0, 0xFFFFFFFF), DESCRIPTOR)
PACKET = st.builds(
    Packet,
    st.one_of(st.integers(-3, 4), st.integers(-40, 40), WORD),
    st.integers(0, 0xFFFFFFFF),
    st.sampled_from((0, 0x80)),
    DESCRIPTOR,
    st.binary(max_size=40),
    st.sampled_from((False, False, False, True)),
)


def both(*, extension_id: int = 3, ring: int = 16, pictures: bool = True, sequence: int = 65_530) -> list[Any]:
    """The same lane twice: Python's and the compiled one."""
    made: list[Any] = []
    for kind in ("python", "native"):
        peer = FakePeer(Clock())
        FakeMux.outbox, before = outbox_of(kind), FakeMux.outbox
        try:
            made.append(
                new_lane(
                    peer.as_peer(),
                    pt=100,
                    ssrc=0xFEDCBA98,
                    extension_id=extension_id,
                    ring=ring,
                    pictures=pictures,
                    sequence=sequence,
                    timestamp=0xFFFFFF00,
                )
            )
        finally:
            FakeMux.outbox = before
    assert type(made[0]) is Lane
    assert type(made[1]) is not Lane
    return made


def facts(lane: Any) -> tuple[Any, ...]:
    return (
        lane.packets,
        lane.octets,
        lane.last_sequence,
        lane.last_timestamp,
        lane.last_out,
        lane.timestamp_offset,
        [lane.find(lane.last_sequence - back & 0xFFFF) for back in range(-2, 20)],
    )


@settings(max_examples=150, deadline=None)
@given(
    st.lists(st.one_of(PACKET, PACKET, PACKET, BIND), max_size=40),
    st.sampled_from((0, 1, 14)),
    st.sampled_from((1, 16, 128)),
    st.booleans(),
    WORD,
)
def test_both_lanes_agree(
    steps: list[Bind | Packet], extension_id: int, ring: int, pictures: bool, sequence: int
) -> None:
    lanes = both(extension_id=extension_id, ring=ring, pictures=pictures, sequence=sequence)
    at = 0
    for count, step in enumerate(steps):
        if isinstance(step, Bind):
            at = step.sequence
            for lane in lanes:
                lane.bind(step.sequence, step.offset, step.descriptor)
        else:
            at = (at + step.step) & 0xFFFF
            python, native = (
                lane.header(
                    step.payload,
                    at,
                    step.timestamp,
                    step.marker,
                    step.descriptor,
                    count << 16,
                    float(count),
                    step.padding,
                )
                for lane in lanes
            )
            assert python == native
        assert facts(lanes[0]) == facts(lanes[1])


def test_bad_arguments_are_refused_by_the_compiled_lane() -> None:
    _, lane = both()
    with pytest.raises(TypeError):
        lane.header(b"payload")
    with pytest.raises(TypeError):
        lane.header("text", 1, 2, 0, b"", 0, 0.0, False)
    with pytest.raises(TypeError):
        lane.header(b"", "1", 2, 0, b"", 0, 0.0, False)
    with pytest.raises(ValueError, match="short bytes"):
        lane.header(b"", 1, 2, 0, bytes(65), 0, 0.0, False)
    with pytest.raises(ValueError, match="short bytes"):
        lane.bind(1, 2, "text")
    with pytest.raises(AttributeError):
        lane.ssrc = 5
    assert lane.packets == 0


@pytest.mark.parametrize("wrong", [{"ring": 0}, {"ring": 12}, {"ring": 1 << 20}, {"extension_id": 15}])
def test_a_lane_that_cannot_be_is_not_made(wrong: dict[str, int]) -> None:
    with pytest.raises(ValueError, match="power of two"):
        both(**wrong)  # type: ignore[arg-type]


def test_numbers_are_reduced_to_their_size() -> None:
    _, lane = both(sequence=10)
    lane.bind(70_000, -1, b"")
    header = lane.header(b"x", 70_000, 1 << 40, 0, b"", 0, 0.0, False)
    assert header[2:8] == (11).to_bytes(2, "big") + b"\xff\xff\xff\xff"
