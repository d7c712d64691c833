"""`meet demo`."""

from __future__ import annotations

import sys
from pathlib import Path

import click


@click.command()
@click.option("--seconds", type=click.IntRange(1), default=10, show_default=True, help="Length of the recording.")
@click.option(
    "--output",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("demo-output"),
    show_default=True,
    help="Directory for the file that comes out.",
)
@click.option("--keep-data", is_flag=True, help="Keep the server's data directory below the output directory.")
def demo(seconds: int, output: Path, keep_data: bool) -> None:
    """Two robots meet for a few seconds and are recorded; prints what came out.

    Needs the `livekit` Python SDK (`pip install livekit`; `make demo` has it).
    """
    from meet import demo as demo_module

    sys.exit(demo_module.run(seconds=seconds, output=output, keep_data=keep_data))
