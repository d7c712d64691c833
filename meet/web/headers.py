"""Response headers of the pages: Content-Security-Policy and its companions."""

from __future__ import annotations

from urllib.parse import urlsplit

_HTTP_OF = {"ws": "http", "wss": "https", "http": "http", "https": "https"}
_WS_OF = {"ws": "ws", "wss": "wss", "http": "ws", "https": "wss"}


def media_origins(media_url: str) -> tuple[str, ...]:
    """The media server's WebSocket origin, and its HTTP origin, which livekit-client asks why a connection failed.

    Raises ValueError for a URL that has no host or is neither ws, wss, http nor https.
    """
    parts = urlsplit(media_url)
    if parts.scheme not in _WS_OF or not parts.hostname:
        raise ValueError("the media server's URL needs ws:// or wss:// and a host")
    host = f"[{parts.hostname}]" if ":" in parts.hostname else parts.hostname
    port = f":{parts.port}" if parts.port else ""
    return f"{_WS_OF[parts.scheme]}://{host}{port}", f"{_HTTP_OF[parts.scheme]}://{host}{port}"


def content_security_policy(media_url: str, *, framed: bool) -> str:
    """Everything from this origin, nothing inline; connections to this origin and the media server only.

    framed: other sites may embed the page, as they may OpenVidu Meet's (contract 7.6.4). A site that frames the console
    could have people click on what they do not see.
    """
    connect = " ".join(("'self'", *media_origins(media_url)))
    return "; ".join(
        (
            "default-src 'none'",
            "script-src 'self'",
            "style-src 'self'",
            "img-src 'self' data: blob:",
            "media-src 'self' blob:",
            f"connect-src {connect}",
            "base-uri 'none'",
            "form-action 'self'",
            *(() if framed else ("frame-ancestors 'self'",)),
        )
    )


def page_headers(media_url: str, *, framed: bool) -> dict[str, str]:
    """Headers of every page. Not stored anywhere: the address may carry a room's secret."""
    return {
        "Content-Security-Policy": content_security_policy(media_url, framed=framed),
        "Referrer-Policy": "no-referrer",
        "Permissions-Policy": "camera=(self), microphone=(self), display-capture=(self), geolocation=(), payment=()",
        "X-Content-Type-Options": "nosniff",
        "Cache-Control": "no-store",
    }
