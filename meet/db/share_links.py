"""Share links in SQL."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from sqlalchemy import Connection, Row, delete, func, insert, or_, select, update
from sqlalchemy.exc import IntegrityError

from meet.core.model.paging import Page, PageRequest
from meet.core.model.share_link import ShareLink
from meet.core.share_ports import Added

from .keyset import keyset, page_of
from .tables import recordings, share_links

if TYPE_CHECKING:
    from .engine import Database


class SqlShareLinks:
    """Implements `meet.core.share_ports.ShareLinkRepository`."""

    def __init__(self, database: Database) -> None:
        self._database = database

    async def add(self, link: ShareLink, *, limit: int) -> Added:
        row = {
            "link_id": link.link_id,
            "recording_id": link.recording_id,
            "secret_hash": link.secret_hash,
            "private": link.private,
            "created_at": link.created_at,
            "expires_at": link.expires_at,
        }
        is_open = or_(share_links.c.expires_at.is_(None), share_links.c.expires_at > link.created_at)
        count = select(func.count()).where(share_links.c.recording_id == link.recording_id, is_open)

        def work(connection: Connection) -> Added:
            if connection.execute(count).scalar_one() >= limit:
                return "full"
            connection.execute(insert(share_links), row)
            return "added"

        try:
            return await self._database.write(work)
        except IntegrityError:  # the foreign key: its recording is gone
            return "gone"

    async def find(self, recording_id: str, secret_hash: str) -> ShareLink | None:
        one = (share_links.c.recording_id == recording_id) & (share_links.c.secret_hash == secret_hash)
        row = self._database.reader.execute(select(share_links).where(one)).one_or_none()
        return _link(row) if row is not None else None

    async def page(self, recording_id: str, request: PageRequest) -> Page[ShareLink]:
        statement = select(share_links).where(share_links.c.recording_id == recording_id)
        sort = share_links.c.created_at
        rows = self._database.reader.execute(keyset(statement, sort, share_links.c.seq, request)).all()
        return page_of(rows, sort.name, request, _link)

    async def remove(self, recording_id: str, link_id: str) -> bool:
        row = (share_links.c.recording_id == recording_id) & (share_links.c.link_id == link_id)
        return await self._database.write(
            lambda connection: connection.execute(delete(share_links).where(row)).rowcount == 1
        )

    async def replace_secrets(self, recording_id: str, *, public: str | None, private: str | None) -> bool:
        given = {"public_secret": public, "private_secret": private}
        values = {name: value for name, value in given.items() if value is not None}

        def work(connection: Connection) -> bool:
            row = (recordings.c.recording_id == recording_id) & recordings.c.deleting_since.is_(None)
            return connection.execute(update(recordings).where(row).values(values)).rowcount == 1

        return await self._database.write(work)


def _link(row: Row[*tuple[Any, ...]]) -> ShareLink:
    return ShareLink(
        link_id=row.link_id,
        recording_id=row.recording_id,
        secret_hash=row.secret_hash,
        private=row.private,
        created_at=row.created_at,
        expires_at=row.expires_at,
    )
