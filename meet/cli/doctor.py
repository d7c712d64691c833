"""`meet doctor`."""

from __future__ import annotations

import sys
from dataclasses import asdict
from pathlib import Path
from typing import Any, Final

import click

_COLOURS: Final = {"ok": "green", "warn": "yellow", "fail": "red"}


@click.command()
@click.option("--host", help="As for `meet serve`, when the server does not run; so are the next ones.")
@click.option("--port", type=int)
@click.option("--data-dir", type=click.Path(path_type=Path))
@click.option("--livekit-port", type=int)
@click.option("--rtc-port", type=int)
@click.option("--tls-cert", type=click.Path(path_type=Path))
@click.option("--tls-key", type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print JSON for programs.")
def doctor(as_json: bool, **options: Any) -> None:
    """Look for what keeps the server from working, and say what to do about it. Changes nothing.

    Settings, data directory, database, disk, storage, clock, codecs, certificate, webhooks, ports, media server; with
    the server running or stopped. Exits with 1 when something fails.
    """
    from meet.doctor import examine

    findings = []
    for finding in examine(**options):
        findings.append(finding)
        if not as_json:
            click.echo(
                f"{click.style(f'{finding.level:<4}', fg=_COLOURS[finding.level])}  {finding.check:<15} {finding.text}"
            )
            if finding.advice:
                click.echo(f"{'':22}-> {finding.advice}")
    if as_json:
        from meet.cli.output import print_json

        print_json([asdict(finding) for finding in findings])
    sys.exit(1 if any(finding.level == "fail" for finding in findings) else 0)
