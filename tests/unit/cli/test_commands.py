"""The commands without a server: help, options, questions, what is printed."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from typing import Any

import click
import pytest
from click.testing import CliRunner

from meet.cli import main, output
from meet.cli.config import _parse
from meet.client import Room

GROUPS = ("rooms", "recordings", "users", "keys", "webhooks", "config")


def commands(group: click.Group, *path: str) -> Iterator[tuple[tuple[str, ...], click.Command]]:
    """Every command below a group, with its path."""
    context = click.Context(group)
    for name in group.list_commands(context):
        command = group.get_command(context, name)
        assert command is not None
        if isinstance(command, click.Group):
            yield from commands(command, *path, name)
        else:
            yield (*path, name), command


def test_help_is_read_without_importing_any_command() -> None:
    script = (
        "import sys; from meet.cli import main\ntry: main(['--help'])\nexcept SystemExit: pass\n"
        "print([n for n in ('pydantic', 'httpx', 'structlog', 'sqlalchemy', 'rich', 'asyncio') if n in sys.modules])"
    )
    result = subprocess.run([sys.executable, "-c", script], capture_output=True, text=True, check=True)
    assert result.stdout.splitlines()[-1] == "[]"


def test_every_command_exists_and_explains_itself() -> None:
    found = dict(commands(main))
    assert {path[0] for path in found} >= {"serve", "credentials", "doctor", "demo", *GROUPS}
    for path, command in found.items():
        assert command.help, f"{path} says nothing"
        assert len({name for parameter in command.params for name in parameter.opts}) == sum(
            len(parameter.opts) for parameter in command.params
        ), f"{path} has an option twice"


def test_commands_for_operators_all_print_json_and_reach_other_servers() -> None:
    for path, command in commands(main):
        if path[0] in GROUPS and path != ("recordings", "move"):  # which works on files and database of its machine
            options = {name for parameter in command.params for name in parameter.opts}
            assert {"--json", "--url", "--data-dir", "--api-key-file"} <= options, path
            assert not any("password" in name and name != "--password-stdin" for name in options), path


@pytest.mark.parametrize(
    "command",
    [
        "rooms delete a",
        "rooms members remove a b",
        "recordings delete a",
        "recordings unshare a b",
        "users delete a",
        "keys create",
        "keys revoke",
    ],
)
def test_what_loses_something_can_be_asked_about(command: str) -> None:
    words = command.split()
    found = dict(commands(main))
    path = next(path for path in found if path == tuple(words[: len(path)]))
    assert "--yes" in {name for parameter in found[path].params for name in parameter.opts}


def test_nobody_to_ask(capsys: pytest.CaptureFixture[str]) -> None:
    output.confirm("Sure?", yes=True)
    with pytest.raises(SystemExit) as refused:
        output.confirm("Sure?", yes=False)
    assert refused.value.code == output.EXIT_USAGE
    assert capsys.readouterr().err == "meet: this cannot be undone and nobody can be asked; add --yes\n"


def test_piped_tables_are_not_cut(capsys: pytest.CaptureFixture[str]) -> None:
    long = "x" * 300
    output.print_table(("A", "B"), [(long, "[bold]1[/]")], empty="nothing")
    assert f"{long}  [bold]1[/]" in capsys.readouterr().out
    output.print_table(("A",), [], empty="nothing")
    assert capsys.readouterr() == ("", "nothing\n")


def test_lists_end_where_they_should(capsys: pytest.CaptureFixture[str]) -> None:
    def endless() -> Iterator[Room]:
        for number in range(10):
            yield Room.model_validate({"roomId": f"room-{number}"})

    def show(limit: int, as_json: bool) -> Any:
        rooms = endless()
        output.print_list(rooms, ("R",), lambda room: (room.room_id,), limit=limit, as_json=as_json, empty="none")
        return capsys.readouterr()

    limited = show(2, as_json=True)
    assert json.loads(limited.out) == [{"roomId": "room-0"}, {"roomId": "room-1"}]
    assert "--limit 0" in limited.err
    assert show(10, as_json=False).err == ""
    assert len(show(0, as_json=False).out.splitlines()) == 11


@pytest.mark.parametrize(
    ("count", "text"), [(None, ""), (999, "999 B"), (1234, "1.2 kB"), (7.34e9, "7.3 GB"), (2e15, "2000.0 TB")]
)
def test_sizes(count: float | None, text: str) -> None:
    assert output.size(count) == text


@pytest.mark.parametrize(("seconds", "text"), [(None, ""), (59.6, "0:01:00"), (3723, "1:02:03")])
def test_lengths(seconds: float | None, text: str) -> None:
    assert output.length(seconds) == text


@pytest.mark.parametrize(
    ("text", "parsed"),
    [
        ("webhooks.url=http://a/?b=c", ("webhooks.url", "http://a/?b=c")),
        ("webhooks.enabled=off", ("webhooks.enabled", False)),
        ("theme.enabled=true", ("theme.enabled", True)),
    ],
)
def test_settings_are_names_and_values(text: str, parsed: tuple[str, Any]) -> None:
    assert _parse(text) == parsed


@pytest.mark.parametrize("text", ["webhooks.url", "colour=red", "webhooks.enabled=maybe"])
def test_other_settings_are_refused(text: str) -> None:
    with pytest.raises(click.UsageError):
        _parse(text)


def test_wrong_calls_exit_with_2() -> None:
    for words in (["rooms", "lst"], ["rooms", "show"], ["rooms", "list", "--limit", "-1"]):
        assert CliRunner().invoke(main, words).exit_code == output.EXIT_USAGE, words


@pytest.mark.parametrize("option", ["--allow", "--deny"])
def test_a_permission_with_a_slip_is_told(option: str) -> None:
    """The API leaves it out."""
    command = ["rooms", "members", "add", "room-1", "--guest", "Ana", option, "canRecrod"]
    result = CliRunner().invoke(main, command)
    assert (result.exit_code, "did you mean canRecord?" in result.output) == (2, True), result.output


def test_control_characters_in_names_stay_off_the_terminal(capsys: pytest.CaptureFixture[str]) -> None:
    output.print_facts([("name", "a\x1b]0;owned\x07é 日")])
    output.print_table(("NAME",), [("a\x1b[2J",)], empty="none")
    shown = capsys.readouterr().out
    assert "a\N{REPLACEMENT CHARACTER}]0;owned\N{REPLACEMENT CHARACTER}é 日" in shown
    assert "\x1b" not in shown
