"""Alembic environment; one file per revision in `versions/`."""
