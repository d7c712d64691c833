"""Which registered user a participant is: who was removed or changed must be found in meetings."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0006"
down_revision = "0005"
branch_labels = None
depends_on = None


def upgrade() -> None:
    op.add_column("participant_grants", sa.Column("user_id", sa.String(), nullable=True))
    # Registered users join under their own id, unless they come by a guest's link.
    op.execute(
        "UPDATE participant_grants SET user_id = identity "
        "WHERE EXISTS (SELECT 1 FROM users WHERE users.user_id = participant_grants.identity)"
    )
    op.create_index(op.f("ix_participant_grants_user_id"), "participant_grants", ["user_id"])


def downgrade() -> None:
    op.drop_index(op.f("ix_participant_grants_user_id"), "participant_grants")
    op.drop_column("participant_grants", "user_id")
