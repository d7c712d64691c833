"""Which properties an answer carries: `fields`, `extraFields` and their header twins (contract 2.0.4)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from meet.api.paging import pagination
from meet.core.model.paging import Page
from meet.core.model.user import User
from meet.http import Call


@dataclass(frozen=True, slots=True)
class Fields:
    """The selectable properties of a resource. `extra` ones are only sent when asked for by name."""

    base: tuple[str, ...]
    extra: tuple[str, ...] = ()

    def chosen(self, call: Call) -> frozenset[str]:
        """The names this request wants.

        Nothing asked for: the base ones. Only `fields`: exactly those. Only `extraFields`: the base ones and those.
        Unknown names, and names of the other kind, count as not sent.
        """
        params = call.params
        fields = _known(self.base, params.get("fields"), params.get("X-Fields"))
        extra = _known(self.extra, params.get("extraFields"), params.get("X-ExtraFields"))
        return (fields or frozenset(self.base)) | extra

    def select(self, document: Mapping[str, Any], chosen: frozenset[str]) -> dict[str, Any]:
        """The chosen properties in the document's order, plus the list of extra names where there are any."""
        selected = {name: value for name, value in document.items() if name in chosen}
        if self.extra:
            selected["_extraFields"] = list(self.extra)
        return selected

    def page(self, call: Call, name: str, page: Page[dict[str, Any]]) -> dict[str, Any]:
        """A list answer with what this request wants of each document; the extra names stand once, beside the list."""
        chosen = self.chosen(call)
        items = [{key: value for key, value in item.items() if key in chosen} for item in page.items]
        answer = {name: items, "pagination": pagination(page)}
        return answer | {"_extraFields": list(self.extra)} if self.extra else answer


def _known(allowed: tuple[str, ...], *lists: str | None) -> frozenset[str]:
    names = (name.strip() for text in lists if text for name in text.split(","))
    return frozenset(name for name in names if name in allowed)


ROOM = Fields(
    base=(
        "roomId",
        "roomName",
        "owner",
        "creationDate",
        "access",
        "status",
        "rolesUpdatedAt",
        "meetingEndAction",
        "autoDeletionDate",
        "autoDeletionPolicy",
    ),
    extra=("config", "roles"),
)

RECORDING = Fields(
    base=(
        "recordingId",
        "roomId",
        "roomName",
        "status",
        "layout",
        "encoding",
        "filename",
        "startDate",
        "endDate",
        "duration",
        "size",
        "errorCode",
        "error",
        "details",
    ),
)

MEMBER = Fields(
    base=(
        "memberId",
        "roomId",
        "name",
        "type",
        "membershipDate",
        "accessUrl",
        "baseRole",
        "customPermissions",
        "permissionsUpdatedAt",
    ),
    extra=("effectivePermissions",),
)


def user_document(user: User) -> dict[str, Any]:
    """Every property of a user that leaves the server; there is no choice to make."""
    return {
        "userId": user.user_id,
        "name": user.name,
        "registrationDate": user.registration_date,
        "role": user.role,
        "roleUpdatedAt": user.role_updated_at,
    }
