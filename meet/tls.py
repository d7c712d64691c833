"""TLS between our own processes: the server's own certificate is the only one trusted, whatever name it carries."""

from __future__ import annotations

import ssl
from pathlib import Path


def trust_own(certificate: Path) -> ssl.SSLContext:
    """A client context for our own address on this machine.

    The certificate is made for the public name, so the name is not compared; it must be exactly this certificate (or
    one it signed), also when it is self-signed or its issuer is unknown here. Raises OSError, ssl.SSLError.
    """
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_CLIENT)
    context.check_hostname = False
    context.load_verify_locations(cafile=certificate)
    # The file starts with the server's own certificate: let it be an anchor without its issuer.
    context.verify_flags |= ssl.VERIFY_X509_PARTIAL_CHAIN
    return context
