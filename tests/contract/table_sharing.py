"""Share links: our own operations on recordings."""

from __future__ import annotations

import asyncio

from meet.core.callers import Caller
from meet.core.model.share_link import ShareLink
from meet.core.sharing import MAX_LINKS

from .table import MALFORMED, TOO_LARGE, Operation, Situation, Stage
from .table_recordings import READERS, WRITERS, impossible, links_are_off, missing
from .table_rooms import failing
from .world import Scene

LINKS = "/api/extra/v1/recordings/{recording}/links"
LINK = f"{LINKS}/{{link}}"
OWN = "/api/extra/v1/recordings/{recording}/url/revoke"
NO_LINK = "SL_0000000000000000"


async def shared(scene: Scene) -> None:
    """`{link}` is the id of a link to the scene's recording."""
    recording = scene.recording or await scene.add_recording(media=False)
    admin = Caller("api_key", user=await scene.world.repositories.accounts.get_user("admin"))
    made = await scene.world.core.sharing.create(admin, recording.recording_id)
    scene.variables["link"] = made.link.link_id


async def shared_enough(scene: Scene) -> None:
    """As many links as there may be, straight into the database: a hundred requests would take their time."""
    assert scene.recording is not None
    recording_id, links = scene.recording.recording_id, scene.world.repositories.share_links
    names = [f"SL_{recording_id}_{number}" for number in range(MAX_LINKS)]
    made = [
        ShareLink(link_id=name, recording_id=recording_id, secret_hash=name, private=False, created_at=1)
        for name in names
    ]
    await asyncio.gather(*(links.add(link, limit=MAX_LINKS) for link in made))


OPERATIONS = [
    Operation(
        "createShareLink",
        "POST",
        LINKS,
        "KRAMB",
        201,
        rights=READERS,
        recording="complete",
        body={"privateAccess": False, "expiresAt": 8_000_000_000_000},
        situations=(
            MALFORMED,
            TOO_LARGE,
            impossible(LINKS),
            missing(LINKS),
            Situation("a time that is no time", Stage.VALIDATION, 422, body={"expiresAt": "tomorrow"}),
            Situation(
                "a time that is over", Stage.STATE, 422, body={"expiresAt": 1}, error="expiresAt must be in the future"
            ),
            Situation(
                "links switched off",
                Stage.STATE,
                403,
                links_are_off,
                error="Anonymous access in room '{room}' is disabled for recordings",
            ),
            Situation("a private link with links off", Stage.STATE, 201, links_are_off, body={"privateAccess": True}),
            Situation(
                "links enough",
                Stage.STATE,
                409,
                shared_enough,
                error="Recording '{recording}' has 100 share links already",
            ),
            failing("sharing recording '{recording}'"),
        ),
    ),
    Operation(
        "getShareLinks",
        "GET",
        LINKS,
        "KRAMB",
        200,
        rights=WRITERS,
        recording="complete",
        prepare=shared,
        situations=(
            impossible(LINKS),
            missing(LINKS),
            Situation("a cursor of somebody else", Stage.STATE, 422, query={"nextPageToken": "%%%"}),
            failing("getting share links of recording '{recording}'"),
        ),
    ),
    Operation(
        "revokeShareLink",
        "DELETE",
        LINK,
        "KRAMB",
        200,
        rights=READERS,
        recording="complete",
        prepare=shared,
        situations=(
            impossible(LINK),
            missing(LINK),
            Situation(
                "no such link",
                Stage.STATE,
                404,
                path=f"{LINKS}/{NO_LINK}",
                error=f"Share link '{NO_LINK}' of recording '{{recording}}' not found",
            ),
            failing("revoking share link '{link}'"),
        ),
    ),
    Operation(
        "revokeRecordingUrls",
        "POST",
        OWN,
        "KRAMB",
        200,
        rights=WRITERS,
        recording="complete",
        body={"access": "public"},
        situations=(
            MALFORMED,
            TOO_LARGE,
            impossible(OWN),
            missing(OWN),
            Situation("an unknown kind", Stage.VALIDATION, 422, body={"access": "some"}),
            failing("revoking URLs of recording '{recording}'"),
        ),
    ),
]
