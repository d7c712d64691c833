"""Meetings and AI assistants: contract 2.5.6, 2.5.7."""

# ruff: noqa: E501  (a table reads best with one exchange per line)
from __future__ import annotations

import asyncio
from dataclasses import replace
from typing import Any

from meet.core.callers import Caller, RoomMemberClaims
from meet.core.model.participant import ParticipantGrant
from meet.core.model.permissions import SPEAKER, overlay

from .table import MALFORMED, TOO_LARGE, Operation, Situation, Stage
from .table_internal import Exchange, key, media_server_away, not_joining, participant, user
from .table_rooms import broken, failing, meeting, missing, too_long
from .world import Scene

MEETING = "/internal-api/v1/meetings/{room}"
PERSON = MEETING + "/participants/ana-1"
ROLE = PERSON + "/role"
ASSISTANTS = "/internal-api/v1/ai/assistants"
ASSISTANT = ASSISTANTS + "/asst-1"

WEAK = {"speaker": 403, "powerless": 403, "moderator elsewhere": 403}
AWAY = Situation("a media server that is away", Stage.STATE, 503, media_server_away, error="LiveKit is not available")
_UNDER_WAY: set[asyncio.Task[str]] = set()
NOBODY = "Participant 'nobody' not found in room '{room}'"


async def speaking(scene: Scene) -> None:
    """A participant with the rights of a speaker."""
    token = scene.world.member_token(scene.room.room_id, overlay(SPEAKER, None), identity="ana-1", name="Ana")
    scene.world.media.join(scene.room.room_id, "ana-1", metadata=scene.world.metadata_of(token))
    own = ParticipantGrant(permissions=overlay(SPEAKER, None), badge="other")
    await scene.world.repositories.participants.issue(scene.room.room_id, "ana-1", own, scene.world.clock.now_ms())


async def illegible(scene: Scene) -> None:
    scene.world.media.join(scene.room.room_id, "ana-1", metadata="{}")


async def captions_off(scene: Scene) -> None:
    config: Any = {**scene.room.config, "captions": {"enabled": False}}
    await scene.change_room(lambda room: replace(room, config=config))


def _ana(scene: Scene) -> Caller:
    claims = RoomMemberClaims(
        iat=scene.world.clock.now_ms(),
        room_id=scene.room.room_id,
        permissions=overlay(SPEAKER, None),
        badge="other",
        identity="ana-1",
    )
    return Caller("room_member", member=claims)


async def others_at_it(scene: Scene) -> None:
    """Somebody else's request for captions waits for the media server, until the world is mended."""
    scene.world.media.gate.clear()
    asking = asyncio.create_task(scene.world.core.assistants.create(_ana(scene)))
    asking.add_done_callback(_UNDER_WAY.discard)
    _UNDER_WAY.add(asking)
    await asyncio.sleep(0.05)


async def captioned(scene: Scene) -> None:
    """Captions are on, and then the media server goes away."""
    await scene.world.core.assistants.create(_ana(scene))
    scene.world.media.reachable = False


OPERATIONS = [
    Operation(
        "endMeeting",
        "DELETE",
        MEETING,
        "R",
        200,
        rights=WEAK,
        prepare=meeting,
        situations=(
            too_long(MEETING),
            missing(MEETING),
            AWAY,
            failing("ending meeting from room '{room}'"),
        ),
    ),
    Operation(
        "kickParticipant",
        "DELETE",
        PERSON,
        "R",
        200,
        rights=WEAK,
        prepare=meeting,
        situations=(
            too_long(PERSON),
            missing(PERSON),
            Situation("an absent participant", Stage.STATE, 404, path=MEETING + "/participants/nobody", error=NOBODY),
            AWAY,
            failing("kicking participant 'ana-1' from meeting in room '{room}'"),
        ),
    ),
    Operation(
        "updateParticipantRole",
        "PUT",
        ROLE,
        "R",
        200,
        rights=WEAK,
        body={"action": "upgrade"},
        prepare=speaking,
        situations=(
            MALFORMED,
            TOO_LARGE,
            Situation(
                "an unknown action",
                Stage.VALIDATION,
                422,
                body={"action": "promote"},
                error="Invalid enum value. Expected 'upgrade' | 'downgrade', received 'promote'",
            ),
            too_long(ROLE),
            missing(ROLE),
            Situation(
                "an absent participant", Stage.STATE, 404, path=MEETING + "/participants/nobody/role", error=NOBODY
            ),
            Situation(
                "one who was not promoted",
                Stage.STATE,
                409,
                body={"action": "downgrade"},
                error="Participant 'ana-1' in room '{room}' cannot be demoted because they are not a promoted moderator",
            ),
            Situation("a participant of somebody else", Stage.STATE, 500, illegible),
            AWAY,
            failing("changing the role of participant 'ana-1' in room '{room}'"),
        ),
    ),
]

CAPTIONS = {"capabilities": [{"name": "live_captions"}, {"name": "live_captions"}, {"name": "poetry"}]}
OFF = "Live captions are not enabled in the room configuration."

EXCHANGES = [
    Exchange("createAssistant", "participant", "POST", ASSISTANTS, 201, CAPTIONS, participant()),
    Exchange("createAssistant", "no captions in this room", "POST", ASSISTANTS, 500, CAPTIONS, participant(), prepare=captions_off, error=OFF),
    Exchange("createAssistant", "others at it", "POST", ASSISTANTS, 409, CAPTIONS, participant(), prepare=others_at_it, error="AI assistant  for room '{room}' is already starting"),
    Exchange("createAssistant", "media server away", "POST", ASSISTANTS, 503, CAPTIONS, participant(), prepare=media_server_away, error="LiveKit is not available"),
    Exchange("createAssistant", "nobody", "POST", ASSISTANTS, 401, CAPTIONS, error="Unauthorized"),
    Exchange("createAssistant", "API key", "POST", ASSISTANTS, 401, CAPTIONS, key, error="Unauthorized"),
    Exchange("createAssistant", "admin", "POST", ASSISTANTS, 401, CAPTIONS, user("admin"), error="Unauthorized"),
    Exchange("createAssistant", "not in a meeting", "POST", ASSISTANTS, 403, CAPTIONS, not_joining),
    Exchange("createAssistant", "malformed", "POST", ASSISTANTS, 400, headers=participant(), content=b"{", error="Malformed body"),
    Exchange("createAssistant", "huge", "POST", ASSISTANTS, 413, headers=participant(), content=TOO_LARGE.content),
    Exchange("createAssistant", "no capability", "POST", ASSISTANTS, 422, {"capabilities": []}, participant(), error="Array must contain at least 1 element(s)"),
    Exchange("createAssistant", "unknown capability", "POST", ASSISTANTS, 422, {"capabilities": [{"name": "poetry"}]}, participant(), error="At least one valid capability is required"),
    Exchange("createAssistant", "empty", "POST", ASSISTANTS, 422, {}, participant(), error="Required"),
    Exchange("createAssistant", "database gone", "POST", ASSISTANTS, 500, CAPTIONS, participant(), prepare=broken, error="Unexpected error while creating assistant"),
    Exchange("cancelAssistant", "participant", "DELETE", ASSISTANT, 200, headers=participant()),
    Exchange("cancelAssistant", "others at it", "DELETE", ASSISTANT, 409, headers=participant(), prepare=others_at_it, error="AI assistant cannot be stopped for room '{room}'"),
    Exchange("cancelAssistant", "media server away", "DELETE", ASSISTANT, 503, headers=participant(), prepare=captioned, error="LiveKit is not available"),
    Exchange("cancelAssistant", "nobody", "DELETE", ASSISTANT, 401, error="Unauthorized"),
    Exchange("cancelAssistant", "not in a meeting", "DELETE", ASSISTANT, 403, headers=not_joining),
    Exchange("cancelAssistant", "a blank id", "DELETE", ASSISTANTS + "/%20", 422, headers=participant(), error="assistantId is required and cannot be empty"),
    Exchange("cancelAssistant", "database gone", "DELETE", ASSISTANT, 500, headers=participant(), prepare=broken, error="Unexpected error while canceling assistant 'asst-1'"),
]  # fmt: skip
