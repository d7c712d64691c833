"""Signed webhooks in LiveKit's format: what happens in rooms and recordings, told to the backend.

`events` turns room and egress events into protobuf at the moment they happen; `lane` keeps those of one room in order;
`sender` owns the lanes and delivers with retries; `signing` makes the JWT that carries the body's hash.
"""

from meet.media.hooks.sender import Limits, WebhookSender

__all__ = ["Limits", "WebhookSender"]
