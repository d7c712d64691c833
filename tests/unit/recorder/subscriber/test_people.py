"""Who is in the room, from what the server says to the journal."""

from __future__ import annotations

from pathlib import Path

from livekit.protocol import models

from meet.recorder.journal.records import Person, Record, TrackEnd
from meet.recorder.journal.summary import Summary
from meet.recorder.journal.writer import JournalWriter
from meet.recorder.subscriber.recording import JournalSink, SteadyClock
from meet.recorder.subscriber.selection import OfMedia, OfParticipant
from meet.recorder.subscriber.session import _Room
from tests.unit.recorder import synthetic

Kind = models.ParticipantInfo.Kind


def info(sid: str, name: str, at: int = 0, *, publishes: bool = True, gone: bool = False) -> models.ParticipantInfo:
    state = models.ParticipantInfo.State
    return models.ParticipantInfo(
        sid=sid,
        identity=f"id-{sid}",
        name=name,
        joined_at=at,
        state=state.DISCONNECTED if gone else state.ACTIVE,
        permission=models.ParticipantPermission(can_publish=publishes),
    )


def test_everybody_who_may_publish_is_seen_in_order_of_arrival() -> None:
    room = _Room()
    room.update([info("b", "Bob", 20), info("a", "Ada", 10), info("c", "Spectator", 5, publishes=False)])
    other_recorder = info("d", "EG", 1)
    other_recorder.kind = Kind.EGRESS
    room.update([other_recorder])
    assert room.people(None) == {"id-a": "Ada", "id-b": "Bob"}
    room.update([info("a", "Ada L", 10), info("b", "", gone=True)])
    assert list(room.people(None).items()) == [("id-a", "Ada L")]


def test_of_a_selected_participant_nobody_else_is_seen() -> None:
    room = _Room()
    room.update([info("a", "Ada"), info("b", "Bob")])
    assert room.people(OfParticipant("id-b")) == {"id-b": "Bob"}
    assert room.people(OfParticipant("id-b", screen_share=True)) == {}


def test_whether_a_key_frame_is_to_be_waited_for() -> None:
    room, ada = _Room(), info("a", "Ada")
    room.update([ada])
    assert not room.films(None)
    ada.tracks.extend([models.TrackInfo(type=models.TrackType.AUDIO), models.TrackInfo(type=models.TrackType.VIDEO)])
    room.update([ada])
    assert room.films(None) and room.films(OfParticipant("id-a")) and not room.films(OfParticipant("id-b"))
    assert room.films(OfMedia("video")) and not room.films(OfMedia("audio"))
    ada.tracks[1].muted = True
    room.update([ada])
    assert not room.films(None)


def people(directory: Path) -> list[tuple[str, str, bool]]:
    found: list[Record] = synthetic.read(directory)
    return [(r.identity, r.name, r.present) for r in found if isinstance(r, Person)]


def test_only_what_is_new_goes_into_the_journal(tmp_path: Path) -> None:
    writer = JournalWriter(tmp_path, lambda: None, lambda error: None)
    sink = JournalSink(writer, SteadyClock(), "EG_test", Summary())
    sink.people({"ada": "Ada"})
    sink.people({"ada": "Ada"})
    sink.people({"ada": "Ada L", "bob": "Bob"})
    # The connection was lost meanwhile and the server tells all again.
    sink.people({"bob": "Bob"})
    writer.close()
    assert people(tmp_path) == [
        ("ada", "Ada", True),
        ("ada", "Ada L", True),
        ("bob", "Bob", True),
        ("ada", "Ada L", False),
    ]
    assert not any(isinstance(record, TrackEnd) for record in synthetic.read(tmp_path))
