"""The pages people see: join a room, record it, watch the recording, and the console.

Flask renders the HTML shells (`app`, `templates/`); everything they do, they do over REST and LiveKit signalling
with the scripts built from `web/` (`assets` knows their hashed names, `static_files` serves them). `headers` holds
the Content-Security-Policy. `dispatch` hands a request of the HTTP runtime to Flask, so that the pages stand in the
same route table as the API (`openapi/web`, handlers in `pages`, `bridge` is the service they call). `frontend/` serves
a built OpenVidu Meet web app instead. Nothing here knows rooms, users or the database.
"""

from .bridge import Pages
from .config import WebConfig

__all__ = ["Pages", "WebConfig"]
