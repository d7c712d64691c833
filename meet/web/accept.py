"""Reading Accept-Encoding."""

from __future__ import annotations


def accepts_gzip(header: bytes) -> bool:
    """Whether gzip is listed in Accept-Encoding with a quality above zero (RFC 9110 12.5.3)."""
    for item in header.lower().split(b","):
        coding, _, parameter = item.partition(b";")
        if coding.strip() == b"gzip":
            return parameter.replace(b" ", b"").strip(b"0.") != b"q="
    return False
