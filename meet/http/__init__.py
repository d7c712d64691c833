"""The HTTP runtime: OpenAPI documents in, one ASGI application out. Knows nothing about meetings.

Connexion loads the documents, finds the handlers and reads the security requirements (`documents`, `resolver`,
`compiled`). Every operation is compiled once: parameters (`parameters`, `coercion`), body (`body`), schemas
(`schema`, `normalise`, `messages`), credentials (`security`) and handler become one `operation.Endpoint` in one flat
route table (`router`). `app.HttpApp` runs them behind CORS, forwarded headers and the access log. `ranges`, `zip` and
`streaming` send bytes; `system` holds the operations every deployment has (health, API description, docs page).

A handler is `async def get_room(call: Call) -> Response`. It may also return any object with
`async def __call__(scope, receive, send)`: that is sent as raw ASGI.
"""

from .app import HttpApp
from .call import Call, Headers
from .conditional import versions
from .documents import Document, DocumentError
from .errors import HttpError, Issue, ValidationFailed
from .limits import FixedWindows, Limit, RateLimiter
from .normalise import Invalid
from .response import Response, encode, json_response
from .security import Authenticator, FirstCredential

__all__ = [
    "Authenticator",
    "Call",
    "Document",
    "DocumentError",
    "FirstCredential",
    "FixedWindows",
    "Headers",
    "HttpApp",
    "HttpError",
    "Invalid",
    "Issue",
    "Limit",
    "RateLimiter",
    "Response",
    "ValidationFailed",
    "encode",
    "json_response",
    "versions",
]
