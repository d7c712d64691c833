"""Client address and base URL behind proxies (contract 1.1, 1.7)."""

from __future__ import annotations

from typing import Any

import pytest

from meet.http import Call, Headers
from meet.http.proxy import TrustProxy

from .conftest import make_app

CHAIN = "203.0.113.9, 10.0.0.2, 10.0.0.3"


@pytest.mark.parametrize(
    ("setting", "expected"),
    [
        (True, "203.0.113.9"),
        ("true", "203.0.113.9"),
        (False, "10.0.0.4"),
        (0, "10.0.0.4"),
        (1, "10.0.0.3"),
        ("2", "10.0.0.2"),
        ("10.0.0.0/8", "203.0.113.9"),
        ("10.0.0.3/32, 10.0.0.4/32", "10.0.0.2"),
        ("192.0.2.0/24", "10.0.0.4"),
    ],
)
def test_client_address(setting: bool | int | str, expected: str) -> None:
    headers = Headers([(b"x-forwarded-for", CHAIN.encode())])
    assert TrustProxy(setting).client_ip({"client": ("10.0.0.4", 1)}, headers) == expected


def test_an_unusable_setting_is_refused() -> None:
    with pytest.raises(ValueError, match="does not appear"):
        TrustProxy("somewhere")


def call_with(headers: dict[str, str], **options: Any) -> Call:
    app = make_app(**options)
    found = app.routes.find("/api/v1/apps/x")
    assert found is not None
    scope = {
        "type": "http",
        "method": "GET",
        "path": "/api/v1/apps/x",
        "scheme": "http",
        "query_string": b"",
        "client": ("10.0.0.4", 1),
        "headers": [(name.encode(), value.encode()) for name, value in headers.items()],
    }
    return Call(scope, app, found[0]["GET"], found[1])


FORWARDED = {"host": "inner:6080", "x-forwarded-proto": "https", "x-forwarded-host": "meet.test:443"}


@pytest.mark.parametrize(
    ("headers", "options", "expected"),
    [
        ({"host": "meet.test:6080"}, {"base_path": "/meet/"}, "http://meet.test:6080/meet"),
        ({"host": "meet.test:80"}, {"base_path": "/"}, "http://meet.test"),
        ({"host": "[2001:db8::1]:6080"}, {}, "http://[2001:db8::1]:6080"),
        ({"host": 'evil"<>'}, {}, "http://localhost"),
        (FORWARDED, {"base_path": "/meet"}, "https://meet.test/meet"),
        (FORWARDED, {"trust_proxy": False}, "http://inner:6080"),
        (FORWARDED, {"public_url": "https://p.test:443/", "base_path": "/m"}, "https://p.test/m"),
    ],
)
def test_base_url(headers: dict[str, str], options: dict[str, Any], expected: str) -> None:
    assert call_with(headers, **options).base_url == expected
