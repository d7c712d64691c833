"""Lists that are filtered by status, owner or folded name read an index in the order in which they are shown."""

from __future__ import annotations

from alembic import op

revision = "0012"
down_revision = "0008"
branch_labels = None
depends_on = None

_ADDED = {
    "rooms": (
        ("status", "creation_date", "seq"),
        ("owner", "creation_date", "seq"),
        ("room_name_folded", "seq"),
    ),
    "recordings": (
        ("status", "start_date", "seq"),
        ("room_id", "start_date", "seq"),
        ("room_name_folded", "seq"),
    ),
}
_REPLACED = {"rooms": ("status", "owner"), "recordings": ("status", "room_id")}


def upgrade() -> None:
    for table, indices in _ADDED.items():
        for columns in indices:
            op.create_index(f"ix_{table}_{'_'.join(columns)}", table, list(columns))
        for column in _REPLACED[table]:
            op.drop_index(f"ix_{table}_{column}", table_name=table)


def downgrade() -> None:
    for table, indices in _ADDED.items():
        for column in _REPLACED[table]:
            op.create_index(f"ix_{table}_{column}", table, [column])
        for columns in indices:
            op.drop_index(f"ix_{table}_{'_'.join(columns)}", table_name=table)
