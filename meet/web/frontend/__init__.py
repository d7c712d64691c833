"""A built OpenVidu Meet web app in place of our own pages (`MEET_FRONTEND_DIR`; contract 1.9 and 7.6).

`folder` finds the parts of the build, `index` injects the base path into its page (a Flask application, as our own
pages are), `files` sends everything else from disk, `component` the script that other sites embed. `handlers` answers
the operations of `openapi/web/frontend.yaml`. The app is not ours: nothing of it is changed but what the contract says.
"""

from .folder import FrontendFolder, FrontendMissing
from .service import Frontend

__all__ = ["Frontend", "FrontendFolder", "FrontendMissing"]
