"""The processes that `meet serve` starts and watches; each can be run by hand as well."""

from __future__ import annotations

import contextlib
import os
import sys
from typing import Final

import click
import setproctitle

from meet import credentials, logging
from meet.cli.settings import load
from meet.config import Settings
from meet.process import freeze
from meet.supervisor import forking, ready

_GC_THRESHOLDS: Final = (10_000, 20, 50)


def child(name: str) -> Settings:
    """What every process of ours does first."""
    setproctitle.setproctitle(f"meet {name}")
    ready.die_with_parent()
    settings = load()
    logging.configure(settings.log_level, settings.log_format, process=name)
    try:
        return credentials.fill(settings)
    except (credentials.WeakCredentials, OSError) as error:
        ready.fail(str(error))


@click.command()
def backend() -> None:
    """Run the HTTP backend alone (REST, pages)."""
    settings = child("backend")
    from meet import app

    app.run(settings, on_ready=ready.serving, fail=ready.fail)


@click.command()
@click.argument("egress_id", required=False)
@click.option("--standby", is_flag=True, help="Import everything, then wait for an egress id on standard input.")
@click.option("--fork-server", type=int, metavar="FD", help="Import everything, then make processes that wait for one.")
def recorder(egress_id: str | None, standby: bool, fork_server: int | None) -> None:
    """Run the recorder of one recording from its spool directory until the file is in storage."""
    settings = child("recorder")
    import storage
    from meet.recorder import main as recorder_main

    if standby or fork_server is not None:
        setproctitle.setproctitle("meet recorder (standby)" if standby else "meet recorder (standby, fork server)")
        with contextlib.suppress(storage.StorageError):  # the recorder will say it
            storage.create(settings)  # imports botocore where the store is S3
        freeze(*_GC_THRESHOLDS)  # or it would be walked in the middle of a start
        orders = sys.stdin.fileno()
        if fork_server is not None:
            orders = forking.serve(fork_server)
            setproctitle.setproctitle("meet recorder (standby)")
        ready.notify(will_beat=True)
        egress_id = forking.told(orders)
        if not egress_id:
            return
    if not egress_id:
        raise click.UsageError("an egress id is needed")
    setproctitle.setproctitle(f"meet recorder {egress_id}")
    ready.notify(will_beat=True)
    # No atexit work: native threads of the codecs may still run, and everything that counts is already fsynced.
    code = recorder_main.run(settings, egress_id, beat=ready.beat)
    sys.stderr.flush()
    os._exit(code)
