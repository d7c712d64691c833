"""The group of all commands."""

from __future__ import annotations

from typing import Final

import click

from meet import __version__
from meet.cli.lazy import LazyGroup

_COMMANDS: Final = {
    "serve": ("meet.cli.serve:serve", "Start everything; prints one line with the address when ready."),
    "credentials": ("meet.cli.credentials:show", "The API key and the administrator's login of a data directory."),
    "reset-root-password": ("meet.cli.recovery:reset", "Another password for the first administrator, if it is lost."),
    "doctor": ("meet.cli.doctor:doctor", "Check this machine and its server; says what to do."),
    "rooms": ("meet.cli.rooms:rooms", "List, show, create, close, delete rooms; their members."),
    "recordings": ("meet.cli.recordings:recordings", "List, start, stop, download, share, delete recordings."),
    "users": ("meet.cli.users:users", "List, create, delete users; roles and passwords."),
    "keys": ("meet.cli.keys:keys", "Show, make, revoke the API key."),
    "webhooks": ("meet.cli.webhooks:webhooks", "Deliveries of webhooks: list, redeliver, test."),
    "config": ("meet.cli.config:config", "Settings in the database: show, set."),
    "recompose": ("meet.cli.journals:recompose", "Another layout or encoding of a recording, from its journal."),
    "tracks": ("meet.cli.journals:tracks", "Each track of a recording as a file, from its journal."),
    "demo": ("meet.cli.demo:demo", "Hold a short meeting between two robots, record it, fetch the MP4."),
    "backend": ("meet.cli.processes:backend", "The HTTP backend alone; started by `serve`."),
    "media": ("meet.cli.media:media", "The media server alone; started by `serve`. `meet media drain` empties a part."),
    "recorder": ("meet.cli.processes:recorder", "The recorder of one recording; started by `serve`."),
}


@click.group(
    cls=LazyGroup,
    lazy=_COMMANDS,
    context_settings={"help_option_names": ["-h", "--help"], "max_content_width": 120},
)
@click.version_option(__version__, prog_name="meet")
def main() -> None:
    """Meetings and recordings on your own machine.

    `meet serve --help` shows every option and every environment variable. The commands for operators talk to the
    server that runs in --data-dir, or to another one: --url, with its key in MEET_API_KEY or --api-key-file. They
    exit with 0 when all is done, 1 when something failed, 2 when called wrongly, 3 when there is no connection, 4
    when a key or login is refused, 5 when something does not exist.
    """
