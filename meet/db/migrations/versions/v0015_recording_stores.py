"""Recordings remember the store that their file is in, and others with a copy of it.

NULL for those that are there already: which store is configured is not known here, nor whether it was another one when
they were made. The server looks for them (`meet/stores/survey.py`).
"""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

_INDEX = "ix_recordings_status_store"


def upgrade() -> None:
    op.add_column("recordings", sa.Column("store", sa.String(), nullable=True))
    op.add_column("recordings", sa.Column("copies", sa.Text(), nullable=True))
    op.create_index(_INDEX, "recordings", ["status", "store"])


def downgrade() -> None:
    op.drop_index(_INDEX, table_name="recordings")
    op.drop_column("recordings", "copies")
    op.drop_column("recordings", "store")
