"""The toy application every test here talks to."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from meet.http import Call, Document, FirstCredential, HttpApp, HttpError

from .toy.handlers import ToyError

TOY = Path(__file__).parent / "toy" / "openapi.yaml"
SYSTEM = Path(__file__).parents[3] / "openapi" / "system" / "openapi.yaml"


async def check_key(call: Call, key: str) -> str:
    if key != "good":
        raise HttpError(401, "Authentication Error", "Invalid API key")
    return "key"


async def check_token(call: Call, token: str) -> str:
    if token != "good":
        raise HttpError(401, "Authentication Error", "Invalid token")
    return "token"


async def check_link(call: Call, secret: str) -> str:
    return f"link {secret}"


async def anyone(call: Call, _: str) -> str:
    return "anyone"


AUTHENTICATOR = FirstCredential({"key": check_key, "token": check_token, "linkSecret": check_link, "anonymous": anyone})


def map_error(error: Exception, call: Call) -> HttpError | None:
    return HttpError(409, "Mapped", str(error)) if isinstance(error, ToyError) else None


def make_app(**options: Any) -> HttpApp:
    documents = [Document(SYSTEM, ("", "/meet")), Document(TOY, ("/api/v1", "/meet/api/v1"))]
    return HttpApp(documents, AUTHENTICATOR, error_mapper=map_error, **options)


@pytest.fixture(scope="session")
def app() -> HttpApp:
    return make_app()
