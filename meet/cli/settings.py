"""Reading the settings, with an error that an operator understands."""

from __future__ import annotations

from typing import Any

from meet.config import Settings, explain
from meet.supervisor import ready


def load(**overrides: Any) -> Settings:
    """Settings from the environment with `overrides` on top; ends the process when they are not valid."""
    from pydantic import ValidationError

    try:
        return Settings.load(**overrides)
    except ValidationError as error:
        ready.fail(f"the configuration is not valid: {explain(error)}")
