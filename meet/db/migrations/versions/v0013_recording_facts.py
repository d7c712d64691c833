"""What was measured of a recording's file is kept with it."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

_INDEX = "ix_recordings_without_facts"


def upgrade() -> None:
    op.add_column("recordings", sa.Column("facts", sa.Text(), nullable=True))
    nothing = sa.text("facts IS NULL")
    op.create_index(_INDEX, "recordings", ["status", "updated_at"], sqlite_where=nothing, postgresql_where=nothing)


def downgrade() -> None:
    op.drop_index(_INDEX, table_name="recordings")
    op.drop_column("recordings", "facts")
