"""The backend's side of a LiveKit-protocol media server, ours or any other.

`client` is the domain's MediaServer port over `livekit-api`; `egress` and `participants` translate its messages into
the domain's words; `webhook` verifies what the media server posts and `inbox` hands it to the domain.
"""

from meet.livekit.client import LiveKitMediaServer
from meet.livekit.inbox import WebhookInbox
from meet.livekit.webhook import InvalidWebhook, WebhookVerifier

__all__ = ["InvalidWebhook", "LiveKitMediaServer", "WebhookInbox", "WebhookVerifier"]
