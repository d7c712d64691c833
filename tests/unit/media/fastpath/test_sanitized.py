"""Tests of the compiled fast path once more, with the compiler's checks of memory and undefined behaviour built in."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

import pytest

from tools.build_native import CannotBuild, compile_into

ROOT = Path(__file__).parents[4]
# The module under this name is in place before anything asks for it. Not through pytest, which is slow to start here.
RUN = """
import importlib.machinery, importlib.util, sys
loader = importlib.machinery.ExtensionFileLoader("meet.media.fastpath._native", sys.argv[1])
spec = importlib.util.spec_from_file_location(loader.name, sys.argv[1], loader=loader)
module = importlib.util.module_from_spec(spec)
loader.exec_module(module)
import meet.media.fastpath
sys.modules[loader.name] = meet.media.fastpath._native = module
from tests.unit.media.fastpath import test_fan_out, test_lane
from tests.unit.recorder.composer import test_rows
for test in (
    test_rows.test_the_compiled_ones_refuse_nonsense,
    test_rows.test_the_compiled_ones_agree_with_python,
    test_lane.test_both_lanes_agree,
    test_lane.test_bad_arguments_are_refused_by_the_compiled_lane,
    test_fan_out.test_the_same_datagrams_in_the_same_order,
    test_fan_out.test_lanes_of_two_outboxes_do_not_mix,
    test_fan_out.test_nonsense_is_refused,
):
    test()
for test in (
    test_fan_out.test_more_than_the_outbox_holds,
    test_fan_out.test_a_new_address_and_a_new_session_are_followed,
    test_fan_out.test_lost_shaped_and_tcp_datagrams_take_pythons_way,
    test_fan_out.test_what_the_kernel_refuses_is_counted,
):
    test(test_fan_out.Wire("native"))
print("all ran")
"""


def test_no_bad_access_and_no_undefined_behaviour(tmp_path: Path) -> None:
    target = tmp_path / "_native.abi3.so"
    if shutil.which("cc") is None:
        pytest.skip("no C compiler")
    runtime = subprocess.run(["cc", "-print-file-name=libasan.so"], capture_output=True, text=True, check=False)
    if not Path(runtime.stdout.strip()).is_absolute():
        pytest.skip("the compiler has no address sanitizer")
    try:
        compile_into(target, ROOT, ("-fsanitize=address,undefined", "-fno-sanitize-recover=all", "-Werror"))
    except CannotBuild as reason:
        pytest.skip(str(reason))
    environment = os.environ | {
        "LD_PRELOAD": runtime.stdout.strip(),
        "ASAN_OPTIONS": "detect_leaks=0",  # the interpreter keeps what it has until the end
        "PYTHONMALLOC": "malloc",  # so that every object has its own surroundings
    }
    done = subprocess.run(
        [sys.executable, "-c", RUN, str(target)],
        cwd=ROOT,
        env=environment,
        capture_output=True,
        text=True,
        timeout=150,
        check=False,
    )
    assert done.returncode == 0, done.stdout[-4000:] + done.stderr[-4000:]
    assert "all ran" in done.stdout
