"""Recording less than the whole room: which tracks are asked for, and who is seen."""

from __future__ import annotations

from typing import Any

import pytest
from livekit.protocol import models

from meet.recorder.subscriber.selection import OfMedia, OfParticipant, OfTracks, Selection, chosen_by

SOURCE = models.TrackSource


def person(identity: str, **tracks: Any) -> models.ParticipantInfo:
    """A participant with tracks by sid, each of a source."""
    infos = [models.TrackInfo(sid=sid, source=source) for sid, source in tracks.items()]
    return models.ParticipantInfo(identity=identity, tracks=infos)


@pytest.mark.parametrize(
    ("request_", "expected"),
    [
        ({}, None),
        ({"participant": "ann"}, None),
        ({"participant": {"identity": "ann"}}, OfParticipant("ann")),
        ({"participant": {"identity": "ann", "screen_share": True}}, OfParticipant("ann", screen_share=True)),
        ({"tracks": {"video": "TR_v", "audio": "", "direct": True}}, OfTracks("TR_v", "")),
        ({"tracks": {"video": "TR_v", "audio": "TR_a"}}, OfTracks("TR_v", "TR_a")),
        ({"only": "audio"}, OfMedia("audio")),
        ({"only": "audio", "tracks": {"video": "", "audio": "TR_a"}}, OfMedia("audio", OfTracks("", "TR_a"))),
    ],
)
def test_what_the_request_says(request_: dict[str, Any], expected: Selection | None) -> None:
    assert chosen_by(request_) == expected


def test_camera_and_microphone_or_the_screen_with_its_sound() -> None:
    ann, bob = models.ParticipantInfo(identity="ann"), models.ParticipantInfo(identity="bob")
    person = (SOURCE.CAMERA, SOURCE.MICROPHONE, SOURCE.UNKNOWN)
    screen = (SOURCE.SCREEN_SHARE, SOURCE.SCREEN_SHARE_AUDIO)
    for selection, wanted, others in (
        (OfParticipant("ann"), person, screen),
        (OfParticipant("ann", screen_share=True), screen, person),
    ):
        assert all(selection.wants(ann, models.TrackInfo(source=s)) for s in wanted)
        assert not any(selection.wants(ann, models.TrackInfo(source=s)) for s in others)
        assert not any(selection.wants(bob, models.TrackInfo(source=s)) for s in (*person, *screen))
        assert selection.is_about(ann)
        assert not selection.is_about(bob)
        assert selection.shows(ann) is not selection.screen_share


def test_tracks_by_sid_whoever_has_them() -> None:
    selection = OfTracks("TR_v", "TR_a")
    ann = person("ann", TR_v=SOURCE.CAMERA, TR_x=SOURCE.MICROPHONE)
    bob = person("bob", TR_a=SOURCE.MICROPHONE)
    assert [t.sid for p in (ann, bob) for t in p.tracks if selection.wants(p, t)] == ["TR_v", "TR_a"]
    assert selection.is_about(ann) and selection.is_about(bob)
    assert not selection.is_about(person("cleo", TR_c=SOURCE.CAMERA))
    assert selection.shows(ann) and not selection.shows(bob)
    assert selection.source(ann, ann.tracks[0], "camera") == "camera"
    assert selection.source(bob, bob.tracks[0], "microphone") == "screen_share_audio"  # heard, not seen


@pytest.mark.parametrize(("media", "wanted"), [("audio", ["TR_m", "TR_n"]), ("video", ["TR_c", "TR_s"])])
def test_sound_alone_or_pictures_alone_of_everybody(media: str, wanted: list[str]) -> None:
    kinds = {"TR_m": "AUDIO", "TR_c": "VIDEO", "TR_s": "VIDEO", "TR_n": "AUDIO", "TR_d": "DATA"}
    tracks = [models.TrackInfo(sid=sid, type=kind) for sid, kind in kinds.items()]
    ann = models.ParticipantInfo(identity="ann", tracks=tracks)
    selection = OfMedia(media)
    assert [track.sid for track in tracks if selection.wants(ann, track)] == wanted
    assert selection.lasts and selection.is_about(ann) and selection.shows(ann) and selection.patience_s is None
    assert selection.source(ann, tracks[0], "microphone") == "microphone"
    one = OfMedia(media, OfParticipant("bob"))
    assert not one.lasts and not one.is_about(ann) and not any(one.wants(ann, track) for track in tracks)


def test_both_tracks_of_one_person_belong_together() -> None:
    ann = person("ann", TR_v=SOURCE.CAMERA, TR_a=SOURCE.MICROPHONE)
    selection = OfTracks("TR_v", "TR_a")
    assert selection.source(ann, ann.tracks[1], "microphone") == "microphone"
    assert OfTracks("", "TR_a").source(ann, ann.tracks[1], "microphone") == "microphone"


def test_a_shared_screen_shows_nobody() -> None:
    ann = person("ann", TR_s=SOURCE.SCREEN_SHARE)
    assert not OfTracks("TR_s", "").shows(ann)
