"""Builds the compiled fast path, where that is possible (`meet/media/fastpath`).

Hatchling runs it for wheels and editable installs; `python tools/build_native.py` builds in place. Without a C
compiler, Python's headers or Linux the package is the same without it, and pure Python does the work.
"""

from __future__ import annotations

import os
import shlex
import shutil
import subprocess
import sys
import sysconfig
import tempfile
from pathlib import Path
from typing import Any

from hatchling.builders.hooks.plugin.interface import BuildHookInterface

FOLDER = Path("meet/media/fastpath")
SOURCES = ("_native.c", "_lane.c", "_outbox.c", "_rows.c")
FLAGS = ("-std=c11", "-O2", "-Wall", "-Wextra", "-fPIC", "-fvisibility=hidden", "-shared")
_TIMEOUT_S = 120


class CannotBuild(Exception):
    """There is no compiled fast path here; the message says why."""


def compile_into(target: Path, root: Path, extra_flags: tuple[str, ...] = ()) -> None:
    """Compile and link to `target`, which changes only when all went well. Raises CannotBuild."""
    headers = Path(sysconfig.get_path("include"))
    compiler = shlex.split(os.environ.get("CC") or sysconfig.get_config_var("CC") or "cc")
    if sys.platform != "linux" or sys.implementation.name != "cpython" or sysconfig.get_config_var("Py_GIL_DISABLED"):
        raise CannotBuild("only for CPython on Linux")
    if shutil.which(compiler[0]) is None:
        raise CannotBuild(f"no C compiler ({compiler[0]})")
    if not (headers / "Python.h").is_file():
        raise CannotBuild(f"no Python.h in {headers}")
    with tempfile.TemporaryDirectory(dir=target.parent) as folder:
        made = Path(folder) / target.name
        command = [*compiler, *FLAGS, *extra_flags, f"-I{headers}", "-o", str(made)]
        command += [str(root / FOLDER / name) for name in SOURCES]
        try:
            done = subprocess.run(command, capture_output=True, text=True, timeout=_TIMEOUT_S, check=False)  # noqa: S603
        except (OSError, subprocess.TimeoutExpired) as error:
            raise CannotBuild(str(error)) from error
        if done.returncode:
            raise CannotBuild(f"{compiler[0]} failed: {done.stderr.strip()[-2000:]}")
        made.replace(target)


def build_in_place(root: Path) -> Path:
    """Build the module next to its sources. Raises CannotBuild, and then leaves no older build behind."""
    target = root / FOLDER / "_native.abi3.so"
    try:
        compile_into(target, root)
    except CannotBuild:
        target.unlink(missing_ok=True)
        raise
    return target


class NativeBuildHook(BuildHookInterface[Any]):
    """Adds the compiled module to a wheel, and its tag: one build for every CPython from 3.11 on."""

    def initialize(self, version: str, build_data: dict[str, Any]) -> None:
        try:
            built = build_in_place(Path(self.root))
        except CannotBuild as reason:
            self.app.display_warning(f"without the compiled media fast path: {reason}")
            return
        if version != "editable":
            platform = sysconfig.get_platform().replace("-", "_").replace(".", "_")
            build_data["pure_python"] = False
            build_data["tag"] = f"cp311-abi3-{platform}"
            build_data["artifacts"].append(built.relative_to(self.root).as_posix())


if __name__ == "__main__":
    try:
        sys.stdout.write(f"{build_in_place(Path(__file__).parents[1])}\n")
    except CannotBuild as error:
        sys.exit(f"not built: {error}")
