"""What operators see: tables for people, `--json` for programs; both on stdout, everything else on stderr."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterable, Iterator, Sequence
from datetime import datetime
from itertools import islice
from typing import TYPE_CHECKING, Any, NoReturn, TypeVar

import click

if TYPE_CHECKING:
    from rich.console import Console
    from rich.progress import Progress

    from meet.client.models.base import Model

M = TypeVar("M", bound="Model")

EXIT_FAILED = 1
EXIT_USAGE = 2
EXIT_NO_CONNECTION = 3
EXIT_CREDENTIALS = 4
EXIT_NOT_FOUND = 5


limit_option = click.option(
    "--limit", default=50, show_default=True, type=click.IntRange(0), help="At most so many; 0 for all."
)


def fail(message: str, code: int = EXIT_FAILED) -> NoReturn:
    """End with one line on stderr."""
    click.echo(f"meet: {message}", err=True)
    raise SystemExit(code)


def note(message: str) -> None:
    """A remark beside the result."""
    click.echo(message, err=True)


def confirm(question: str, *, yes: bool) -> None:
    """Ask before something is lost. Without a terminal, `--yes` is the only answer that counts."""
    if yes:
        return
    if not sys.stdin.isatty():
        fail("this cannot be undone and nobody can be asked; add --yes", EXIT_USAGE)
    if not click.confirm(question, err=True):
        fail("nothing was changed")


def print_json(value: Any) -> None:
    """One JSON document."""
    click.echo(json.dumps(value, indent=2, ensure_ascii=False))


def _printable(text: str) -> str:
    """Names are other people's: their control characters are not for this terminal."""
    return "".join(character if character.isprintable() else "\N{REPLACEMENT CHARACTER}" for character in text)


def print_table(columns: Sequence[str], rows: Iterable[Sequence[str]], *, empty: str) -> None:
    """Rows below bold headings; `empty` on stderr when there are none. Piped tables are never cut to a width."""
    from rich.table import Table
    from rich.text import Text

    table = Table(box=None, pad_edge=False, header_style="bold")
    for column in columns:
        table.add_column(column, overflow="fold")
    for row in rows:
        table.add_row(*(Text(_printable(cell)) for cell in row))
    if table.row_count == 0:
        note(empty)
    else:
        console().print(table)


def print_list(
    found: Iterator[M],
    columns: Sequence[str],
    row: Callable[[M], Sequence[str]],
    *,
    limit: int,
    as_json: bool,
    empty: str,
) -> None:
    """The first `limit` of an endless list (all with 0), with a remark when there are more."""
    shown = list(islice(found, limit or None))
    if as_json:
        print_json([item.to_json() for item in shown])
    else:
        print_table(columns, map(row, shown), empty=empty)
    if limit and len(shown) == limit and next(found, None) is not None:
        note("there are more; --limit 0 lists all")


def print_bulk(result: Model, done: Iterable[str], failed: Iterable[str], *, as_json: bool) -> None:
    """What became of several things; ends with EXIT_FAILED when not all of it worked."""
    complaints = list(failed)
    if as_json:
        print_json(result.to_json())
    else:
        for line in done:
            click.echo(line)
    for line in complaints:
        note(line)
    if complaints:
        raise SystemExit(EXIT_FAILED)


def page_size(limit: int) -> int:
    """Entries to ask for at once."""
    return min(limit or 100, 100)


def print_facts(facts: Iterable[tuple[str, str]]) -> None:
    """One thing: a name and a value per line; empty values are left out."""
    shown = [(name, value) for name, value in facts if value]
    width = max((len(name) for name, _ in shown), default=0)
    for name, value in shown:
        click.echo(f"{name:<{width}}  {_printable(value)}")


def print_answer(answer: Model, facts: Iterable[tuple[str, str]], *, as_json: bool) -> None:
    """One thing, for programs or for people."""
    if as_json:
        print_json(answer.to_json())
    else:
        print_facts(facts)


def console(*, stderr: bool = False) -> Console:
    """A terminal in its width; a file or pipe in any width."""
    from rich.console import Console

    stream = sys.stderr if stderr else sys.stdout
    return Console(stderr=stderr, width=None if stream.isatty() else 10_000, highlight=False)


def progress_bars() -> Progress:
    """Bars on stderr, one per file; nothing when stderr is no terminal."""
    from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeRemainingColumn, TransferSpeedColumn
    from rich.table import Column

    terminal = console(stderr=True)
    whole = Column(no_wrap=True)
    return Progress(
        TextColumn("{task.description}", markup=False, table_column=Column(ratio=1, no_wrap=True, overflow="ellipsis")),
        BarColumn(bar_width=16),
        DownloadColumn(table_column=whole),
        TransferSpeedColumn(table_column=whole),
        TimeRemainingColumn(compact=True, table_column=whole),
        console=terminal,
        expand=True,
        disable=not terminal.is_terminal,
    )


def moment(milliseconds: float | None) -> str:
    """A date in the local time zone."""
    if milliseconds is None:
        return ""
    return datetime.fromtimestamp(milliseconds / 1000).astimezone().strftime("%Y-%m-%d %H:%M:%S %z")


def size(count: float | None) -> str:
    """Bytes in decimal units."""
    if count is None:
        return ""
    for unit in ("B", "kB", "MB", "GB"):
        if count < 1000:
            return f"{count:.0f} {unit}" if unit == "B" else f"{count:.1f} {unit}"
        count /= 1000
    return f"{count:.1f} TB"


def length(seconds: float | None) -> str:
    """A duration as h:mm:ss."""
    if seconds is None:
        return ""
    whole = round(seconds)
    return f"{whole // 3600}:{whole // 60 % 60:02}:{whole % 60:02}"


def on_off(value: bool) -> str:
    """A switch."""
    return "on" if value else "off"
