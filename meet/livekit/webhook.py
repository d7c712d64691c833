"""Verification of what a media server posts: a JWT of our key whose `sha256` claim fits the untouched body."""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
from typing import Final

import jwt
from google.protobuf import json_format
from livekit.protocol.webhook import WebhookEvent

_LEEWAY_S: Final = 60
_MAX_BODY: Final = 1 << 20


class InvalidWebhook(Exception):
    """Not signed by the media server, or not a webhook. `str()` says which, without any part of the token."""


class WebhookVerifier:
    """Checks signature, expiry and body hash, then parses."""

    def __init__(self, api_key: str, api_secret: str) -> None:
        self._api_key = api_key
        self._api_secret = api_secret

    def receive(self, body: bytes, authorization: str | None) -> WebhookEvent:
        """The event. `authorization`: the header's value, a bare token (a "Bearer " in front does no harm).

        Raises InvalidWebhook."""
        if len(body) > _MAX_BODY:
            raise InvalidWebhook("body too long")
        token = (authorization or "").removeprefix("Bearer ").strip()
        try:
            claims = jwt.decode(
                token,
                self._api_secret,
                algorithms=["HS256"],
                issuer=self._api_key,
                leeway=_LEEWAY_S,
                options={"require": ["exp", "iss"]},
            )
            expected = base64.b64decode(str(claims.get("sha256") or ""), validate=True)
        except jwt.InvalidTokenError:
            raise InvalidWebhook("invalid signature") from None
        except binascii.Error:
            raise InvalidWebhook("the signature's body hash is not base64") from None
        if not hmac.compare_digest(hashlib.sha256(body).digest(), expected):
            raise InvalidWebhook("the body does not match the signature")
        try:
            return json_format.Parse(body.decode(), WebhookEvent(), ignore_unknown_fields=True)
        except (json_format.ParseError, UnicodeDecodeError):
            raise InvalidWebhook("the body is not a webhook event") from None
