"""The tables behind outgoing webhooks."""

from __future__ import annotations

from sqlalchemy import BigInteger, Column, ForeignKey, Index, Integer, String, Table, Text

from .tables import metadata

webhook_deliveries = Table(
    "webhook_deliveries",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("delivery_id", String, nullable=False, unique=True),
    Column("event", String, nullable=False),
    Column("subject", String, nullable=False),
    Column("creation_date", BigInteger, nullable=False),
    Column("body", Text, nullable=False),
    Column("position", BigInteger, nullable=False, unique=True),
    Column("status", String, nullable=False),
    Column("attempts", Integer, nullable=False),
    Column("next_attempt_at", BigInteger, nullable=False),
    Column("claimed_until", BigInteger),
    Column("give_up_at", BigInteger, nullable=False),
    Column("last_attempt_at", BigInteger),
    Column("delivered_at", BigInteger),
    Column("response_status", Integer),
    Column("error", Text),
    Index(None, "status", "subject", "position"),
    Index(None, "creation_date", "seq"),
)

# A row while a meeting that was announced has not been announced as over: whatever the room's status is meanwhile,
# and however often the media server says so, each meeting starts and ends once.
announced_meetings = Table(
    "announced_meetings",
    metadata,
    Column("room_id", ForeignKey("rooms.room_id", ondelete="CASCADE"), primary_key=True),
)
