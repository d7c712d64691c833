"""Pure parts of the pages' scripts, run by Node."""

from __future__ import annotations

import base64
import json
import runpy
import subprocess
from pathlib import Path
from typing import Any

import pytest

from meet.core.permission_names import NAMES
from tests.unit.web.conftest import ROOT

WEB = ROOT / "web"
NODE = [str(runpy.run_path(str(WEB / "build.py"))["find_node"]()[0]), "--input-type=module", "-e"]


def evaluate(tmp_path: Path, module: str, expression: str) -> Any:
    """The JSON value of an expression in which `m` is the TypeScript module `web/src/<module>`."""
    bundle = tmp_path / "module.mjs"
    esbuild = WEB / "node_modules" / "esbuild" / "bin" / "esbuild"
    command = [
        NODE[0],
        str(esbuild),
        f"src/{module}",
        "--bundle",
        "--format=esm",
        f"--outfile={bundle}",
        "--log-level=error",
    ]
    subprocess.run(command, cwd=WEB, check=True)
    code = f"import * as m from {json.dumps(bundle.as_uri())}; console.log(JSON.stringify({expression}))"
    done = subprocess.run([*NODE, code], capture_output=True, text=True, check=True)
    return json.loads(done.stdout)


@pytest.mark.parametrize(
    ("count", "width", "height", "columns", "rows"),
    [
        (1, 1280, 630, 1, 1),
        (2, 1280, 630, 2, 1),
        (3, 1280, 630, 2, 2),
        (4, 1280, 630, 2, 2),
        (3, 375, 650, 1, 3),
        (9, 1280, 720, 3, 3),
    ],
)
def test_grid(tmp_path: Path, count: int, width: int, height: int, columns: int, rows: int) -> None:
    fit = evaluate(tmp_path, "room/layout.ts", f"m.bestFit({count}, {width}, {height}, 10)")
    assert (fit["columns"], fit["rows"]) == (columns, rows)
    assert columns * fit["width"] + (columns - 1) * 10 <= width
    assert rows * fit["height"] + (rows - 1) * 10 <= height


def test_grid_of_nobody_in_no_space(tmp_path: Path) -> None:
    assert evaluate(tmp_path, "room/layout.ts", "m.bestFit(0, 0, 0, 10)")["columns"] == 1


def test_numbers_for_people(tmp_path: Path) -> None:
    clocks = "m.clock(5.4), m.clock(65), m.clock(3725)"
    assert evaluate(tmp_path, "lib/format.ts", f"[{clocks}]") == ["0:05", "1:05", "1:02:05"]
    sizes = "m.bytes(999), m.bytes(1500), m.bytes(214748364)"
    assert evaluate(tmp_path, "lib/format.ts", f"[{sizes}]") == ["999 B", "1.5 kB", "215 MB"]
    names = "m.initials('ada  king-lovelace'), m.initials('日本'), m.initials('')"
    assert evaluate(tmp_path, "lib/format.ts", f"[{names}]") == ["AL", "日", "?"]


def test_member_token_is_read(tmp_path: Path) -> None:
    metadata = {"roomId": "møde-1", "permissions": {"canRecord": True}, "livekitUrl": "ws://x"}
    claims = {"exp": 12, "sub": "ada-1", "name": "Ada", "metadata": json.dumps(metadata, ensure_ascii=False)}
    payload = base64.urlsafe_b64encode(json.dumps(claims, ensure_ascii=False).encode()).rstrip(b"=").decode()
    read = evaluate(tmp_path, "lib/jwt.ts", f"m.memberClaims('e30.{payload}.sig')")
    assert read == {**metadata, "exp": 12, "sub": "ada-1", "name": "Ada"}


def test_filters_find_text_anywhere(tmp_path: Path) -> None:
    found = evaluate(tmp_path, "api/caller.ts", "[m.containing('roomName', 'a'), m.containing('roomName', '')]")
    assert found == [{"roomName": "a", "roomNameMatchMode": "partial", "roomNameCaseInsensitive": "true"}, {}]


def test_rank_comes_from_metadata_and_survives_nonsense(tmp_path: Path) -> None:
    owner = json.dumps(json.dumps({"badge": "owner"}))
    promoted = json.dumps(json.dumps({"badge": "moderator", "isPromotedModerator": True}))
    texts = [owner, promoted, '"null"', '"[]"', '"{"', '"{\\"badge\\": 5}"', "undefined"]
    ranks = evaluate(tmp_path, "room/badges.ts", f"[{','.join(f'm.rankOf({{metadata: {text}}})' for text in texts)}]")
    assert ranks[:2] == [{"badge": "owner", "promoted": False}, {"badge": "moderator", "promoted": True}]
    assert ranks[2:] == [{"badge": "", "promoted": False}] * 5


def test_permissions_in_the_names_of_the_answer(tmp_path: Path) -> None:
    old = dict.fromkeys(("canRecord", "canRetrieveRecordings"), True)
    rows = dict(evaluate(tmp_path, "settings/permission_names.ts", f"m.permissionRows({json.dumps(old)})"))
    assert rows["canRetrieveRecordings"] == "Watch recordings"
    assert "recordingControl" not in rows
    rows = dict(evaluate(tmp_path, "settings/permission_names.ts", "m.permissionRows({recordingControl: true})"))
    assert {"recordingControl", "recordingList", "recordingPlay", "recordingDownload"} <= rows.keys()
    assert len(rows) == 16
    assert set(rows) == {name for names in NAMES.values() for name in names}
