"""Requests to addresses that somebody else chose: webhook receivers.

`addresses` decides which addresses are fair game, `sender` makes the requests: the name is resolved, every address is
checked, and the connection goes to a checked address, so that a name cannot point elsewhere a moment later.
"""

from .sender import WebhookSender

__all__ = ["WebhookSender"]
