"""Outgoing webhooks: the deliveries, and the meetings that were announced and are not over."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None


def upgrade() -> None:
    _webhook_deliveries()
    op.create_table(
        "announced_meetings",
        sa.Column("room_id", sa.String(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.room_id"], name=op.f("fk_announced_meetings_room_id_rooms"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_id", name=op.f("pk_announced_meetings")),
    )
    # Meetings under way while a server is updated end under the new version.
    op.execute(
        "INSERT INTO announced_meetings (room_id) SELECT room_id FROM rooms WHERE rooms.status = 'active_meeting'"
    )


def downgrade() -> None:
    op.drop_table("announced_meetings")
    op.drop_table("webhook_deliveries")


def _webhook_deliveries() -> None:
    op.create_table(
        "webhook_deliveries",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("delivery_id", sa.String(), nullable=False),
        sa.Column("event", sa.String(), nullable=False),
        sa.Column("subject", sa.String(), nullable=False),
        sa.Column("creation_date", sa.BigInteger(), nullable=False),
        sa.Column("body", sa.Text(), nullable=False),
        sa.Column("position", sa.BigInteger(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("attempts", sa.Integer(), nullable=False),
        sa.Column("next_attempt_at", sa.BigInteger(), nullable=False),
        sa.Column("claimed_until", sa.BigInteger(), nullable=True),
        sa.Column("give_up_at", sa.BigInteger(), nullable=False),
        sa.Column("last_attempt_at", sa.BigInteger(), nullable=True),
        sa.Column("delivered_at", sa.BigInteger(), nullable=True),
        sa.Column("response_status", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_webhook_deliveries")),
        sa.UniqueConstraint("delivery_id", name=op.f("uq_webhook_deliveries_delivery_id")),
        sa.UniqueConstraint("position", name=op.f("uq_webhook_deliveries_position")),
    )
    op.create_index(op.f("ix_webhook_deliveries_creation_date_seq"), "webhook_deliveries", ["creation_date", "seq"])
    op.create_index(
        op.f("ix_webhook_deliveries_status_subject_position"),
        "webhook_deliveries",
        ["status", "subject", "position"],
    )
