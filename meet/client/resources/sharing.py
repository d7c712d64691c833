"""`client.sharing`: links to recordings that expire and can be revoked."""

from __future__ import annotations

from typing import Literal

from meet.client.flow import Flow
from meet.client.inputs import SortOrder
from meet.client.models.base import Message, Milliseconds, Page
from meet.client.models.sharing import NewShareLink, ShareLink
from meet.client.operation import Iteration, operation
from meet.client.resource import EXTRA, AsyncResource, PageReader, Resource, SyncResource, given, params, path

_page = PageReader(ShareLink, "links")


class SharingOperations(Resource):
    """Make, list and revoke links; revoke the recording's own URLs."""

    @operation("createShareLink")
    def create(
        self, recording_id: str, *, private_access: bool | None = None, expires_at: Milliseconds | None = None
    ) -> Flow[NewShareLink]:
        """A link, for ever or until a moment in milliseconds. Its URL is told only here."""
        url = EXTRA + path("/recordings/{}/links", recording_id)
        body = given(private_access=private_access, expires_at=expires_at)
        return self._request("POST", url, NewShareLink.model_validate_json, body=body)

    @operation("getShareLinks")
    def list(
        self,
        recording_id: str,
        *,
        max_items: int | None = None,
        next_page_token: str | None = None,
        sort_order: SortOrder | None = None,
    ) -> Flow[Page[ShareLink]]:
        """The links of a recording, newest first unless sorted otherwise."""
        query = params(max_items=max_items, next_page_token=next_page_token, sort_order=sort_order)
        return self._request("GET", EXTRA + path("/recordings/{}/links", recording_id), _page, query=query)

    iterate = Iteration(list)

    @operation("revokeShareLink")
    def revoke(self, recording_id: str, link_id: str) -> Flow[Message]:
        """End a link."""
        url = EXTRA + path("/recordings/{}/links/{}", recording_id, link_id)
        return self._request("DELETE", url, Message.model_validate_json)

    @operation("revokeRecordingUrls")
    def revoke_urls(
        self, recording_id: str, access: Literal["public", "private", "all"] | None = None
    ) -> Flow[Message]:
        """End what `recordings.get_url` has told; the next ones are others."""
        url = EXTRA + path("/recordings/{}/url/revoke", recording_id)
        return self._request("POST", url, Message.model_validate_json, body=given(access=access))


class Sharing(SharingOperations, SyncResource):
    """Links, blocking."""


class AsyncSharing(SharingOperations, AsyncResource):
    """Links, with asyncio."""
