"""LiveKit's server API (Twirp over HTTP) in front of the room registry and the recorder's control.

`twirp_routes` gives the aiohttp routes `/twirp/livekit.RoomService/*` and `/twirp/livekit.Egress/*`, and of our own
`/twirp/meet.Egress/*` (pausing, composing later, integrity: `egress_extra`). `service` turns a table of methods into a
route, `auth` reads the grants, `codec` the bodies (protobuf or JSON), `rooms` and `egress` do the work. `egress_model`
is the port the recorder's control implements; `egress_info`, `egress_tracks` and `egress_paths` translate it for the
wire.
"""

from collections.abc import Mapping

from aiohttp import web

from meet.media.room import RoomRegistry
from meet.media.twirp.auth import Authenticator
from meet.media.twirp.egress import EgressApi
from meet.media.twirp.egress_extra import EgressExtraApi
from meet.media.twirp.egress_model import EgressControl
from meet.media.twirp.rooms import RoomServiceApi
from meet.media.twirp.service import no_such_service

__all__ = ["twirp_routes"]


def twirp_routes(registry: RoomRegistry, control: EgressControl, keys: Mapping[str, str]) -> list[web.RouteDef]:
    """The routes to hand to `build_app(..., extra_routes=...)`; `keys` maps API keys to their secrets."""
    auth, egress = Authenticator(keys), EgressApi(registry, control)
    return [
        RoomServiceApi(registry).service(auth).route(),
        egress.service(auth).route(),
        EgressExtraApi(egress, control).service(auth).route(),
        web.route("*", "/twirp/{service}/{method}", no_such_service),
    ]
