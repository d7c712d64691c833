"""The HTTP surfaces of the product: handlers that translate, call one service and render.

`meet/`, `internal/`, `extra/` and `livekit/` hold the handlers of the documents in `openapi/`, which name them.
`authentication` decides who calls, `errors` what a domain error looks like, `selection` and `paging` what an answer
carries, `validators` the rules that schemas cannot say, `rate_limits` how often, `permission_documents` and `spelling`
which names permissions have. `build` puts an application together.
"""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path
from typing import Any

from meet.core.permission_names import Mode
from meet.http import Document, HttpApp

from .authentication import MeetAuthenticator, access_scopes
from .errors import to_http
from .permission_documents import amendment
from .services import MediaServerInbox, Services

__all__ = ["MediaServerInbox", "Services", "build", "documents", "openapi_root"]


def documents(base_path: str = "/meet", mode: Mode = "3.8.0") -> list[Document]:
    """The documents and where they are served: below the base path and at the root (contract 1.1).

    `base_path` is normalised: empty, or with a leading and no trailing slash. `mode` chooses the names of permissions.
    """
    root = openapi_root()
    amend = amendment(mode)
    bases = [base_path, ""] if base_path else [""]
    return [
        Document(root / "meet" / "openapi.yaml", tuple(f"{base}/api/v1" for base in bases), amend=amend),
        Document(
            root / "meet-internal" / "openapi.yaml",
            tuple(f"{base}/internal-api/v1" for base in bases),
            public=False,
        ),
        Document(root / "meet-3.9" / "openapi.yaml", tuple(f"{base}/api/v1" for base in bases)),
        Document(root / "meet-extra" / "openapi.yaml", tuple(f"{base}/api/extra/v1" for base in bases)),
        Document(root / "livekit" / "openapi.yaml", ("",), public=False),
        Document(root / "system" / "openapi.yaml", tuple(bases)),
    ]


def build(
    services: Services, *, base_path: str = "/meet", extra_documents: Sequence[Document] = (), **options: Any
) -> HttpApp:
    """The ASGI application over all documents. `options` go to `HttpApp` (public_url, trust_proxy, cors_origin,
    readiness, fallback, lifespan hooks...). Raises DocumentError for a document that does not fit the code."""
    scopes: dict[str, frozenset[str]] = {}
    app = HttpApp(
        [*documents(base_path, services.spelling.mode), *extra_documents],
        MeetAuthenticator(services.auth, scopes),
        services,
        error_mapper=to_http,
        base_path=base_path,
        **options,
    )
    scopes.update(access_scopes(app))
    return app


def openapi_root() -> Path:
    """The folder of all documents: beside the package in a checkout, inside it in a wheel."""
    package = Path(__file__).parent.parent
    inside = package / "_openapi"
    return inside if inside.is_dir() else package.parent / "openapi"
