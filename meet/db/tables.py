"""The tables. `seq` is the internal id that breaks ties when paging; `*_folded` columns serve filters without case."""

from __future__ import annotations

from sqlalchemy import (
    BigInteger,
    Boolean,
    Column,
    Float,
    ForeignKey,
    Index,
    Integer,
    MetaData,
    String,
    Table,
    Text,
    false,
    text,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_N_name)s_%(referred_table_name)s",
        "pk": "pk_%(table_name)s",
    }
)

rooms = Table(
    "rooms",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("room_id", String, nullable=False, unique=True),
    Column("room_name", String, nullable=False),
    Column("room_name_folded", String, nullable=False),
    Column("owner", String, nullable=False),
    Column("status", String, nullable=False),
    Column("creation_date", BigInteger, nullable=False),
    Column("auto_deletion_date", BigInteger),
    Column("meeting_end_action", String, nullable=False),
    Column("roles_updated_at", BigInteger, nullable=False),
    Column("user_access", Boolean, nullable=False),
    Column("document", Text, nullable=False),
    Index(None, "creation_date", "seq"),
    Index(None, "status", "creation_date", "seq"),
    Index(None, "owner", "creation_date", "seq"),
    Index(None, "room_name_folded", "seq"),
    Index(None, "room_name", "seq"),
    Index(None, "auto_deletion_date", "seq"),
)

room_members = Table(
    "room_members",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("room_id", ForeignKey("rooms.room_id", ondelete="CASCADE"), nullable=False),
    Column("member_id", String, nullable=False),
    Column("user_id", String),
    Column("name", String, nullable=False),
    Column("name_folded", String, nullable=False),
    Column("base_role", String, nullable=False),
    Column("membership_date", BigInteger, nullable=False),
    Column("permissions_updated_at", BigInteger, nullable=False),
    Column("can_retrieve_recordings", Boolean, nullable=False),
    Column("document", Text, nullable=False),
    Index("uq_room_members_room_id_member_id", "room_id", "member_id", unique=True),
    Index(None, "user_id", "room_id"),
)

# RESTRICT: the database itself refuses to lose the rows that point at media.
recordings = Table(
    "recordings",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("recording_id", String, nullable=False, unique=True),
    Column("room_id", ForeignKey("rooms.room_id", ondelete="RESTRICT"), nullable=False),
    Column("egress_id", String, nullable=False, unique=True),
    Column("object_key", String, nullable=False, unique=True),
    Column("room_name", String, nullable=False),
    Column("room_name_folded", String, nullable=False),
    Column("status", String, nullable=False),
    Column("layout", String, nullable=False),
    Column("encoding", Text, nullable=False),
    Column("filename", String, nullable=False),
    Column("room_owner", String, nullable=False),
    Column("room_user_access", Boolean, nullable=False),
    Column("public_secret", String, nullable=False),
    Column("private_secret", String, nullable=False),
    Column("start_date", BigInteger),
    Column("end_date", BigInteger),
    Column("duration", Float),
    Column("size", BigInteger),
    Column("error_code", Integer),
    Column("error", Text),
    Column("details", Text),
    Column("updated_at", BigInteger, nullable=False),
    Column("deleting_since", BigInteger),
    Column("facts", Text),
    Column("audio_only", Boolean, nullable=False, server_default=false()),
    Column("store", String),
    Column("copies", Text),
    Index(None, "status", "store"),
    Index(None, "start_date", "seq"),
    Index(None, "status", "start_date", "seq"),
    Index(None, "room_id", "start_date", "seq"),
    Index(None, "room_name_folded", "seq"),
    Index(None, "room_name", "seq"),
    Index(None, "duration", "seq"),
    Index(None, "size", "seq"),
    Index(
        "ix_recordings_without_facts",
        "status",
        "updated_at",
        sqlite_where=text("facts IS NULL"),
        postgresql_where=text("facts IS NULL"),
    ),
)

# The primary key is the rule "one active recording per room".
recording_locks = Table(
    "recording_locks",
    metadata,
    Column("room_id", ForeignKey("rooms.room_id", ondelete="CASCADE"), primary_key=True),
    Column("object_key", String, nullable=False),
    Column("created_at", BigInteger, nullable=False),
)

share_links = Table(
    "share_links",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("link_id", String, nullable=False, unique=True),
    Column("recording_id", ForeignKey("recordings.recording_id", ondelete="CASCADE"), nullable=False),
    Column("secret_hash", String, nullable=False, unique=True),
    Column("private", Boolean, nullable=False),
    Column("created_at", BigInteger, nullable=False),
    Column("expires_at", BigInteger),
    Index(None, "recording_id", "created_at", "seq"),
)

recording_tombstones = Table(
    "recording_tombstones",
    metadata,
    Column("object_key", String, primary_key=True),
    Column("deleted_at", BigInteger, nullable=False, index=True),
)

participant_names = Table(
    "participant_names",
    metadata,
    Column("room_id", ForeignKey("rooms.room_id", ondelete="CASCADE"), primary_key=True),
    Column("name_key", String, primary_key=True),
    Column("expires_at", BigInteger, nullable=False),
)

# What a participant may do by right, and whether somebody promoted them: the trusted copy of their metadata.
participant_grants = Table(
    "participant_grants",
    metadata,
    Column("room_id", ForeignKey("rooms.room_id", ondelete="CASCADE"), primary_key=True),
    Column("identity", String, primary_key=True),
    Column("permissions", Text, nullable=False),
    Column("badge", String, nullable=False),
    Column("user_id", String, index=True),
    Column("promoted", Boolean, nullable=False),
    Column("issued_at", BigInteger, nullable=False),
)

users = Table(
    "users",
    metadata,
    Column("seq", Integer, primary_key=True),
    Column("user_id", String, nullable=False, unique=True),
    Column("name", String, nullable=False),
    Column("name_folded", String, nullable=False),
    Column("role", String, nullable=False),
    Column("registration_date", BigInteger, nullable=False),
    Column("role_updated_at", BigInteger, nullable=False),
    Column("password_hash", String, nullable=False),
    Column("must_change_password", Boolean, nullable=False),
    Column("sessions_since", BigInteger, nullable=False, server_default="0"),
    Index(None, "registration_date", "seq"),
    Index(None, "name", "seq"),
)

api_keys = Table(
    "api_keys",
    metadata,
    Column("key", String, primary_key=True),
    Column("creation_date", BigInteger, nullable=False),
)

global_config = Table(
    "global_config",
    metadata,
    Column("project_id", String, primary_key=True),
    Column("document", Text, nullable=False),
)
