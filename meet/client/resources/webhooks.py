"""`client.webhooks`: what was sent to integrations, and once more."""

from __future__ import annotations

from meet.client.flow import Flow
from meet.client.inputs import SortOrder
from meet.client.models.base import Page
from meet.client.models.webhooks import Delivery, DeliveryStatus, WebhookEvent
from meet.client.operation import Iteration, operation
from meet.client.resource import EXTRA, AsyncResource, PageReader, Resource, SyncResource, params, path

_page = PageReader(Delivery, "deliveries")


class WebhookOperations(Resource):
    """A look into the outbox."""

    @operation("getWebhookDeliveries")
    def list(
        self,
        *,
        status: DeliveryStatus | None = None,
        event: WebhookEvent | None = None,
        subject: str | None = None,
        max_items: int | None = None,
        next_page_token: str | None = None,
        sort_order: SortOrder | None = None,
    ) -> Flow[Page[Delivery]]:
        """Deliveries, newest first unless sorted otherwise, without what was sent."""
        query = params(
            status=status,
            event=event,
            subject=subject,
            max_items=max_items,
            next_page_token=next_page_token,
            sort_order=sort_order,
        )
        return self._request("GET", f"{EXTRA}/webhooks/deliveries", _page, query=query)

    iterate = Iteration(list)

    @operation("getWebhookDelivery")
    def get(self, delivery_id: str) -> Flow[Delivery]:
        """One delivery, with what was sent."""
        url = EXTRA + path("/webhooks/deliveries/{}", delivery_id)
        return self._request("GET", url, Delivery.model_validate_json)

    @operation("redeliverWebhook")
    def redeliver(self, delivery_id: str) -> Flow[Delivery]:
        """Send it once more, whatever has become of it."""
        url = EXTRA + path("/webhooks/deliveries/{}/redeliver", delivery_id)
        return self._request("POST", url, Delivery.model_validate_json)


class Webhooks(WebhookOperations, SyncResource):
    """Webhooks, blocking."""


class AsyncWebhooks(WebhookOperations, AsyncResource):
    """Webhooks, with asyncio."""
