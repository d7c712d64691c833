"""The operations of the documents that the client is made for."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache
from typing import Any

from meet.http.documents import load
from tests.unit.client.calls import OPENAPI

PREFIXES = {
    "meet": "/api/v1",
    "meet-3.9": "/api/v1",
    "meet-internal": "/internal-api/v1",
    "meet-extra": "/api/extra/v1",
}
METHODS = ("get", "put", "post", "delete")


@dataclass(frozen=True)
class Described:
    """One operation as its document has it, references resolved."""

    document: str
    method: str
    path: str
    parameters: tuple[dict[str, Any], ...]
    body: dict[str, Any] | None
    responses: dict[str, Any]

    @property
    def answer(self) -> dict[str, Any] | None:
        """The schema of the JSON of a success; None when it is no JSON."""
        for status, response in self.responses.items():
            if status.startswith("2") and "application/json" in response.get("content", {}):
                schema: dict[str, Any] = response["content"]["application/json"]["schema"]
                return schema
        return None


@cache
def described() -> dict[str, Described]:
    """By `operationId`."""
    found = {}
    for name, prefix in PREFIXES.items():
        document = load(OPENAPI / name / "openapi.yaml")
        for path, item in document["paths"].items():
            for method in METHODS:
                if method not in item:
                    continue
                operation = item[method]
                body = operation.get("requestBody", {}).get("content", {}).get("application/json", {}).get("schema")
                found[operation["operationId"]] = Described(
                    document=name,
                    method=method.upper(),
                    path=prefix + path,
                    parameters=(*item.get("parameters", ()), *operation.get("parameters", ())),
                    body=body,
                    responses=operation["responses"],
                )
    return found
