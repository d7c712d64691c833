"""The outbox of webhooks in SQL. `append` runs inside the transactions of `rooms.py` and `recordings.py`."""

from __future__ import annotations

import secrets
from collections.abc import Sequence
from typing import TYPE_CHECKING, Any

import orjson
from sqlalchemy import Connection, Row, delete, exists, func, insert, or_, select, update

from meet.core.model.paging import Page, PageRequest
from meet.core.model.webhook import GIVE_UP_AFTER_MS, Announcement, DeliveryFilter, WebhookDelivery

from .keyset import keyset, page_of
from .outbox_tables import announced_meetings, webhook_deliveries
from .tables import global_config

if TYPE_CHECKING:
    from .engine import Database

_rows = webhook_deliveries
_earlier = webhook_deliveries.alias("earlier")
_HEAD = (_rows.c.status == "pending") & ~exists().where(
    _earlier.c.status == "pending", _earlier.c.subject == _rows.c.subject, _earlier.c.position < _rows.c.position
)
_OPEN_MEETING = insert(announced_meetings).prefix_with("OR IGNORE", dialect="sqlite")


def append(connection: Connection, announcements: Sequence[Announcement]) -> None:
    """Write what is to be sent, as part of the caller's transaction.

    Nothing is written while webhooks are off, or for a meeting that was announced as started (or over) already."""
    for each in announcements:
        if _first_time(connection, each) and _wanted(connection, each.project_id):
            position = select(func.coalesce(func.max(_rows.c.position), 0) + 1).scalar_subquery()
            connection.execute(insert(_rows).values(**_values(each), position=position))


class SqlOutbox:
    """Implements `meet.core.webhook_ports.OutboxRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def next_due(self) -> int | None:
        due = func.min(func.max(_rows.c.next_attempt_at, func.coalesce(_rows.c.claimed_until, 0)))
        found: int | None = self._database.reader.execute(select(due).where(_HEAD)).scalar()
        return found

    async def claim(self, now: int, until: int, most: int) -> list[WebhookDelivery]:
        free = or_(_rows.c.claimed_until.is_(None), _rows.c.claimed_until <= now)
        due = select(_rows).where(_HEAD, _rows.c.next_attempt_at <= now, free).order_by(_rows.c.position).limit(most)

        def work(connection: Connection) -> list[WebhookDelivery]:
            found = [_delivery(row) for row in connection.execute(due)]
            taken = [each.position for each in found]
            connection.execute(update(_rows).where(_rows.c.position.in_(taken)).values(claimed_until=until))
            return found

        return await self._database.write(work)

    async def settle(self, delivery: WebhookDelivery) -> None:
        statement = (
            update(_rows)
            .where(*_unchanged(delivery))
            .values(
                status=delivery.status,
                attempts=delivery.attempts,
                next_attempt_at=delivery.next_attempt_at,
                claimed_until=None,
                last_attempt_at=delivery.last_attempt_at,
                delivered_at=delivery.delivered_at,
                response_status=delivery.response_status,
                error=delivery.error,
            )
        )
        await self._database.write(lambda connection: connection.execute(statement))

    async def release(self, delivery: WebhookDelivery) -> None:
        statement = update(_rows).where(*_unchanged(delivery)).values(claimed_until=None)
        await self._database.write(lambda connection: connection.execute(statement))

    async def hasten(self, now: int, *, refused: bool = False) -> int:
        unreachable = or_(_rows.c.response_status.is_(None), _rows.c.response_status >= 500)
        waiting = (_rows.c.status == "pending") & (_rows.c.attempts > 0) & (_rows.c.next_attempt_at > now)
        statement = update(_rows).where(waiting).values(next_attempt_at=now)
        if not refused:
            statement = statement.where(unreachable)
        return await self._database.write(lambda connection: connection.execute(statement).rowcount)

    async def get(self, delivery_id: str) -> WebhookDelivery | None:
        return _one(self._database.reader, delivery_id)

    async def page(self, wanted: DeliveryFilter, request: PageRequest) -> Page[WebhookDelivery]:
        statement = select(_rows)
        for column, value in (
            (_rows.c.status, wanted.status),
            (_rows.c.event, wanted.event),
            (_rows.c.subject, wanted.subject),
        ):
            if value is not None:
                statement = statement.where(column == value)
        found = self._database.reader.execute(keyset(statement, _rows.c.creation_date, _rows.c.seq, request)).all()
        return page_of(found, "creation_date", request, _delivery)

    async def redeliver(self, delivery_id: str, now: int) -> WebhookDelivery | None:
        last = select(func.max(_rows.c.position) + 1).scalar_subquery()
        statement = (
            update(_rows)
            .where(_rows.c.delivery_id == delivery_id)
            .values(
                position=last,
                status="pending",
                attempts=0,
                next_attempt_at=now,
                claimed_until=None,
                give_up_at=now + GIVE_UP_AFTER_MS,
                delivered_at=None,
                response_status=None,
                error=None,
            )
        )

        def work(connection: Connection) -> WebhookDelivery | None:
            connection.execute(statement)
            return _one(connection, delivery_id)

        return await self._database.write(work)

    async def prune(self, before: int) -> int:
        old = (_rows.c.status != "pending") & (_rows.c.creation_date < before)
        if not self._database.reader.execute(select(exists().where(old))).scalar():
            return 0
        return await self._database.write(lambda connection: connection.execute(delete(_rows).where(old)).rowcount)


def _first_time(connection: Connection, announcement: Announcement) -> bool:
    room = {"room_id": announcement.subject}
    if announcement.event == "meetingStarted":
        return connection.execute(_OPEN_MEETING, room).rowcount == 1
    if announcement.event == "meetingEnded":
        open_meeting = announced_meetings.c.room_id == announcement.subject
        return connection.execute(delete(announced_meetings).where(open_meeting)).rowcount == 1
    return True


def _wanted(connection: Connection, project_id: str) -> bool:
    statement = select(global_config.c.document).where(global_config.c.project_id == project_id)
    document = connection.execute(statement).scalar_one_or_none()
    return document is not None and bool(orjson.loads(document)["webhooksConfig"].get("enabled"))


def _unchanged(delivery: WebhookDelivery) -> tuple[Any, ...]:
    """Still the delivery that was claimed: asking for it again moves it."""
    return _rows.c.delivery_id == delivery.delivery_id, _rows.c.position == delivery.position


def _one(connection: Connection, delivery_id: str) -> WebhookDelivery | None:
    row = connection.execute(select(_rows).where(_rows.c.delivery_id == delivery_id)).one_or_none()
    return _delivery(row) if row is not None else None


def _values(announcement: Announcement) -> dict[str, Any]:
    return {
        "delivery_id": f"WD_{secrets.token_hex(8)}",
        "event": announcement.event,
        "subject": announcement.subject,
        "creation_date": announcement.creation_date,
        "body": announcement.body,
        "status": "pending",
        "attempts": 0,
        "next_attempt_at": announcement.creation_date,
        "give_up_at": announcement.creation_date + GIVE_UP_AFTER_MS,
    }


def _delivery(row: Row[*tuple[Any, ...]]) -> WebhookDelivery:
    return WebhookDelivery(
        delivery_id=row.delivery_id,
        event=row.event,
        subject=row.subject,
        creation_date=row.creation_date,
        body=row.body,
        position=row.position,
        status=row.status,
        attempts=row.attempts,
        next_attempt_at=row.next_attempt_at,
        give_up_at=row.give_up_at,
        last_attempt_at=row.last_attempt_at,
        delivered_at=row.delivered_at,
        response_status=row.response_status,
        error=row.error,
    )
