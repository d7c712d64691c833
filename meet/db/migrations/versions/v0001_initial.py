"""First schema: rooms, members, recordings with their locks and tombstones, names, users, keys, configuration."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None


def upgrade() -> None:
    _api_keys()
    _global_config()
    _recording_tombstones()
    _rooms()
    _users()
    _participant_names()
    _recording_locks()
    _recordings()
    _room_members()


def downgrade() -> None:
    for table in (
        "room_members",
        "recordings",
        "recording_locks",
        "participant_names",
        "users",
        "rooms",
        "recording_tombstones",
        "global_config",
        "api_keys",
    ):
        op.drop_table(table)


def _api_keys() -> None:
    op.create_table(
        "api_keys",
        sa.Column("key", sa.String(), nullable=False),
        sa.Column("creation_date", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("key", name=op.f("pk_api_keys")),
    )


def _global_config() -> None:
    op.create_table(
        "global_config",
        sa.Column("project_id", sa.String(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("project_id", name=op.f("pk_global_config")),
    )


def _recording_tombstones() -> None:
    op.create_table(
        "recording_tombstones",
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("deleted_at", sa.BigInteger(), nullable=False),
        sa.PrimaryKeyConstraint("object_key", name=op.f("pk_recording_tombstones")),
    )
    op.create_index(op.f("ix_recording_tombstones_deleted_at"), "recording_tombstones", ["deleted_at"])


def _rooms() -> None:
    op.create_table(
        "rooms",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("room_name", sa.String(), nullable=False),
        sa.Column("room_name_folded", sa.String(), nullable=False),
        sa.Column("owner", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("creation_date", sa.BigInteger(), nullable=False),
        sa.Column("auto_deletion_date", sa.BigInteger(), nullable=True),
        sa.Column("meeting_end_action", sa.String(), nullable=False),
        sa.Column("roles_updated_at", sa.BigInteger(), nullable=False),
        sa.Column("user_access", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_rooms")),
        sa.UniqueConstraint("room_id", name=op.f("uq_rooms_room_id")),
    )
    op.create_index(op.f("ix_rooms_auto_deletion_date_seq"), "rooms", ["auto_deletion_date", "seq"])
    op.create_index(op.f("ix_rooms_creation_date_seq"), "rooms", ["creation_date", "seq"])
    op.create_index(op.f("ix_rooms_owner"), "rooms", ["owner"])
    op.create_index(op.f("ix_rooms_room_name_seq"), "rooms", ["room_name", "seq"])
    op.create_index(op.f("ix_rooms_status"), "rooms", ["status"])


def _users() -> None:
    op.create_table(
        "users",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=False),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_folded", sa.String(), nullable=False),
        sa.Column("role", sa.String(), nullable=False),
        sa.Column("registration_date", sa.BigInteger(), nullable=False),
        sa.Column("role_updated_at", sa.BigInteger(), nullable=False),
        sa.Column("password_hash", sa.String(), nullable=False),
        sa.Column("must_change_password", sa.Boolean(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_users")),
        sa.UniqueConstraint("user_id", name=op.f("uq_users_user_id")),
    )
    op.create_index(op.f("ix_users_name_seq"), "users", ["name", "seq"])
    op.create_index(op.f("ix_users_registration_date_seq"), "users", ["registration_date", "seq"])


def _participant_names() -> None:
    op.create_table(
        "participant_names",
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("name_key", sa.String(), nullable=False),
        sa.Column("expires_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.room_id"], name=op.f("fk_participant_names_room_id_rooms"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_id", "name_key", name=op.f("pk_participant_names")),
    )


def _recording_locks() -> None:
    op.create_table(
        "recording_locks",
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("created_at", sa.BigInteger(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.room_id"], name=op.f("fk_recording_locks_room_id_rooms"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("room_id", name=op.f("pk_recording_locks")),
    )


def _recordings() -> None:
    op.create_table(
        "recordings",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("recording_id", sa.String(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("egress_id", sa.String(), nullable=False),
        sa.Column("object_key", sa.String(), nullable=False),
        sa.Column("room_name", sa.String(), nullable=False),
        sa.Column("room_name_folded", sa.String(), nullable=False),
        sa.Column("status", sa.String(), nullable=False),
        sa.Column("layout", sa.String(), nullable=False),
        sa.Column("encoding", sa.Text(), nullable=False),
        sa.Column("filename", sa.String(), nullable=False),
        sa.Column("room_owner", sa.String(), nullable=False),
        sa.Column("room_user_access", sa.Boolean(), nullable=False),
        sa.Column("public_secret", sa.String(), nullable=False),
        sa.Column("private_secret", sa.String(), nullable=False),
        sa.Column("start_date", sa.BigInteger(), nullable=True),
        sa.Column("end_date", sa.BigInteger(), nullable=True),
        sa.Column("duration", sa.Float(), nullable=True),
        sa.Column("size", sa.BigInteger(), nullable=True),
        sa.Column("error_code", sa.Integer(), nullable=True),
        sa.Column("error", sa.Text(), nullable=True),
        sa.Column("details", sa.Text(), nullable=True),
        sa.Column("updated_at", sa.BigInteger(), nullable=False),
        sa.Column("deleting_since", sa.BigInteger(), nullable=True),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.room_id"], name=op.f("fk_recordings_room_id_rooms"), ondelete="RESTRICT"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_recordings")),
        sa.UniqueConstraint("egress_id", name=op.f("uq_recordings_egress_id")),
        sa.UniqueConstraint("object_key", name=op.f("uq_recordings_object_key")),
        sa.UniqueConstraint("recording_id", name=op.f("uq_recordings_recording_id")),
    )
    op.create_index(op.f("ix_recordings_duration_seq"), "recordings", ["duration", "seq"])
    op.create_index(op.f("ix_recordings_room_id"), "recordings", ["room_id"])
    op.create_index(op.f("ix_recordings_room_name_seq"), "recordings", ["room_name", "seq"])
    op.create_index(op.f("ix_recordings_size_seq"), "recordings", ["size", "seq"])
    op.create_index(op.f("ix_recordings_start_date_seq"), "recordings", ["start_date", "seq"])
    op.create_index(op.f("ix_recordings_status"), "recordings", ["status"])


def _room_members() -> None:
    op.create_table(
        "room_members",
        sa.Column("seq", sa.Integer(), nullable=False),
        sa.Column("room_id", sa.String(), nullable=False),
        sa.Column("member_id", sa.String(), nullable=False),
        sa.Column("user_id", sa.String(), nullable=True),
        sa.Column("name", sa.String(), nullable=False),
        sa.Column("name_folded", sa.String(), nullable=False),
        sa.Column("base_role", sa.String(), nullable=False),
        sa.Column("membership_date", sa.BigInteger(), nullable=False),
        sa.Column("permissions_updated_at", sa.BigInteger(), nullable=False),
        sa.Column("can_retrieve_recordings", sa.Boolean(), nullable=False),
        sa.Column("document", sa.Text(), nullable=False),
        sa.ForeignKeyConstraint(
            ["room_id"], ["rooms.room_id"], name=op.f("fk_room_members_room_id_rooms"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_room_members")),
    )
    op.create_index(op.f("ix_room_members_user_id_room_id"), "room_members", ["user_id", "room_id"])
    op.create_index("uq_room_members_room_id_member_id", "room_members", ["room_id", "member_id"], unique=True)
