"""State: SQLAlchemy Core tables, the repositories that implement the domain's ports, and the migrations.

`Database` (engine.py) opens the file, migrates it and makes the repositories. Reads run inline on the caller's thread,
point reads take some tens of microseconds; writes are short transactions on one writer thread, so that their fsync
never stops the event loop. Rows carry what is filtered and sorted by as columns, the rest as one JSON document.
"""

from .engine import Database

__all__ = ["Database"]
