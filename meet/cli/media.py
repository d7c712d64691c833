"""`meet media`: the media server's processes, and emptying one of them."""

from __future__ import annotations

import sys
from typing import TYPE_CHECKING, Any

import click

from meet.cli.processes import child
from meet.cli.settings import load
from meet.config import Settings
from meet.supervisor import listening, ready

if TYPE_CHECKING:
    from meet.recorder.control import RecordingRules, Webhooks


@click.group(invoke_without_command=True)
@click.pass_context
def media(context: click.Context) -> None:
    """Run the embedded media server alone, in one process (signalling, media, egress control)."""
    if context.invoked_subcommand is not None:
        return
    settings = child("media")
    from meet.media import main as media_main
    from meet.recorder.control import media_extension

    extend = media_extension(settings.data_dir, _webhooks(settings), _rules(settings))
    media_main.run(settings, extend=extend, on_ready=ready.serving)


@media.command()
def front() -> None:
    """Run what stands before the workers: the signalling port, the server API, egress control."""
    settings = child("media front")
    from meet.media.front import server
    from meet.recorder.control import front_extension

    extend = front_extension(settings.data_dir, _webhooks(settings), _rules(settings))
    server.run(settings, extend=extend, sockets=listening.inherited(), on_ready=ready.serving)


@media.command()
@click.argument("index", type=click.IntRange(0))
def worker(index: int) -> None:
    """Run worker INDEX, counted from 0: the rooms that the front gives it."""
    settings = child(f"media worker {index}")
    from meet.media.front import worker as media_worker
    from meet.media.front.places import Places
    from meet.recorder.control import worker_extension

    extend = worker_extension(Places(settings.data_dir / "run"), _webhooks(settings))
    media_worker.run(settings, index, extend=extend, on_ready=ready.serving)


@media.command()
@click.argument("index", type=click.IntRange(0))
@click.option("--data-dir", help="Data directory of the running server.")
def drain(index: int, **options: Any) -> None:
    """Move the meetings of worker INDEX to the others and start it afresh. People notice a short reconnect at most."""
    from meet.supervisor.ask import Refused, drain_media

    settings = load(**options)
    try:
        pid = drain_media(settings.data_dir / "run" / "supervisor.sock", index)
    except Refused as error:
        click.echo(f"meet: {error}", err=True)
        sys.exit(1)
    click.echo(f"media worker {index} (pid {pid}) has given its meetings away and was started afresh")


def _webhooks(settings: Settings) -> Webhooks:
    from meet.recorder.control import Webhooks
    from meet.tls import trust_own

    return Webhooks(
        f"{settings.backend_url}/livekit/webhook",
        {settings.livekit_api_key: settings.livekit_api_secret},
        tls=trust_own(settings.tls_cert) if settings.tls_cert else None,
    )


def _rules(settings: Settings) -> RecordingRules:
    import storage
    from meet.recorder.control import Admission, RecordingRules

    admission = Admission(
        settings.data_dir / "spool",
        min_free_bytes=settings.recording_min_free_bytes,
        max_spool_bytes=settings.recording_max_spool_bytes,
        max_cpu=settings.recording_max_cpu,
        storage=storage.local_folder(settings),
    )
    # Less than the backend waits for it, which then knows why there is none.
    return RecordingRules(admission, settings.recording_compose, 0.75 * settings.recording_start_timeout_s)
