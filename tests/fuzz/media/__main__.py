"""Fuzz one target with atheris; see the package's docstring."""

from __future__ import annotations

import argparse
import importlib
import sys
import tempfile
from pathlib import Path
from typing import Any

from tests.fuzz.media.corpus import CORPUS, inputs


def main() -> None:
    """Exits as libFuzzer does: 0 after the time is over, 77 when an input broke something (its file is named)."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("target")
    parser.add_argument("--seconds", type=int, default=60)
    parser.add_argument("--max-len", type=int, default=4096)
    arguments = parser.parse_args()
    try:
        atheris: Any = importlib.import_module("atheris")
    except ImportError:
        sys.exit("atheris is missing: .venv/bin/pip install atheris")
    with atheris.instrument_imports(include=["meet", "aiortc"]):
        from tests.fuzz.media.targets import TARGETS
    if arguments.target not in TARGETS:
        parser.error(f"targets: {', '.join(TARGETS)}")
    found = tempfile.mkdtemp(prefix=f"fuzz-{arguments.target}-")
    for path in inputs(arguments.target):
        (Path(found) / path.name).write_bytes(path.read_bytes())
    options = [
        f"-max_total_time={arguments.seconds}",
        f"-max_len={arguments.max_len}",
        f"-artifact_prefix={CORPUS / arguments.target}/",
        "-timeout=10",
        "-rss_limit_mb=2048",
        "-print_final_stats=1",
    ]
    atheris.Setup([sys.argv[0], *options, found], TARGETS[arguments.target])
    atheris.Fuzz()


if __name__ == "__main__":
    main()
