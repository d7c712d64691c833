"""The pages people see: join a room, record it, watch the recording, and a small console.

Flask renders four HTML shells (`app`, `templates/`); everything they do, they do over REST and LiveKit signalling
with the scripts built from `web/` (`assets` knows their hashed names, `static_files` serves them). `headers` holds
the Content-Security-Policy. `bridge` hands a request of the HTTP runtime to Flask, so that the pages stand in the
same route table as the API (`openapi/web`, handlers in `pages`). Nothing here knows rooms, users or the database.
"""

from .bridge import Pages
from .config import WebConfig

__all__ = ["Pages", "WebConfig"]
