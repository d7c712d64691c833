"""The certificate: dates, names, key."""

from __future__ import annotations

import ssl
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

from cryptography import x509
from cryptography.x509.oid import ExtensionOID

from meet.config import Settings
from meet.doctor.report import Finding, fail, ok, warn

_SOON: Final = timedelta(days=14)
_RENEW: Final = "renew it, then restart the server"


def check(settings: Settings) -> Iterator[Finding]:
    """Nothing without a certificate, except that browsers then want `localhost` or a proxy that has one."""
    cert, key = settings.tls_cert, settings.tls_key
    if cert is None or key is None:
        if settings.host not in ("127.0.0.1", "::1", "localhost") and not settings.base_url.startswith("https://"):
            text = f"none, although {settings.host} is reachable from other machines"
            advice = "browsers allow no cameras without HTTPS: give --tls-cert and --tls-key, or put a proxy in front"
            yield warn("certificate", text, advice)
        return
    try:
        ssl.create_default_context(ssl.Purpose.CLIENT_AUTH).load_cert_chain(cert, key)
        leaf = x509.load_pem_x509_certificates(cert.read_bytes())[0]
    except (OSError, ValueError) as error:  # ssl.SSLError is an OSError
        reason = "the key does not belong to it" if "KEY_VALUES_MISMATCH" in str(error) else str(error)
        advice = "MEET_TLS_CERT is the chain, the server's own certificate first; MEET_TLS_KEY its private key (PEM)"
        yield fail("certificate", f"{cert}: {reason}", advice)
        return
    yield _dates(leaf)
    names = _names(leaf)
    host = urlsplit(settings.base_url).hostname if settings.base_url else None
    if host is not None and not any(_covers(name, host) for name in names):
        text = f"is for {', '.join(names) or 'no name at all'}, not for {host} of MEET_BASE_URL"
        yield fail("certificate", text, "get one for that name, or correct MEET_BASE_URL")
    elif host is None:
        yield ok("certificate", f"for {', '.join(names) or 'no name at all'}")


def _dates(leaf: x509.Certificate) -> Finding:
    now, end = datetime.now(UTC), leaf.not_valid_after_utc
    if now < leaf.not_valid_before_utc:
        return fail("certificate", f"is not valid before {leaf.not_valid_before_utc:%Y-%m-%d}", "check the clock")
    if now > end:
        return fail("certificate", f"expired on {end:%Y-%m-%d}", _RENEW)
    if end - now < _SOON:
        return warn("certificate", f"expires on {end:%Y-%m-%d}", _RENEW)
    return ok("certificate", f"valid until {end:%Y-%m-%d}, and the key belongs to it")


def _names(leaf: x509.Certificate) -> list[str]:
    try:
        extension = leaf.extensions.get_extension_for_oid(ExtensionOID.SUBJECT_ALTERNATIVE_NAME).value
    except x509.ExtensionNotFound:
        return []
    assert isinstance(extension, x509.SubjectAlternativeName)
    return [
        *extension.get_values_for_type(x509.DNSName),
        *map(str, extension.get_values_for_type(x509.IPAddress)),
    ]


def _covers(name: str, host: str) -> bool:
    """RFC 6125, 6.4.3: `*` stands for the whole leftmost label."""
    if name.startswith("*."):
        return host.lower().partition(".")[2] == name[2:].lower()
    return name.lower() == host.lower()
