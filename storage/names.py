"""What a store is called where it is written down that a blob is in it: an address with nothing secret in it.

`fs` is the folder of the data directory, wherever that is moved to; `s3://<host>[:<port>]/<bucket>` a bucket. The
scheme is no part of it, so that a store that gets TLS stays what it is; nor is the region of AWS, where a bucket's name
is taken only once. Nor is the prefix: it is part of the keys.
"""

from __future__ import annotations

from typing import Final
from urllib.parse import urlsplit

FILES: Final = "fs"
_SCHEME: Final = "s3://"
_AWS: Final = ("amazonaws.com", "amazonaws.com.cn")
_PORTS: Final = {"http": 80, "https": 443}


def bucket_name(endpoint: str, bucket: str) -> str:
    """The name of a bucket; an empty endpoint is AWS."""
    return f"{_SCHEME}{_place(endpoint)}/{bucket}"


def split(name: str) -> tuple[str, str]:
    """(place, bucket) of a bucket's name; two with the same place are behind the same endpoint. Empty for others."""
    if not name.startswith(_SCHEME):
        return "", ""
    place, _, bucket = name.removeprefix(_SCHEME).rpartition("/")
    return place, bucket


def _place(endpoint: str) -> str:
    scheme, found, rest = endpoint.strip().partition("://")
    address = rest if found else scheme
    try:
        parts = urlsplit(f"//{address}")
        host, port = parts.hostname or "", parts.port
    except ValueError:  # no store will ever answer there
        return address.partition("?")[0].rpartition("@")[2].lower()
    aws = next((suffix for suffix in _AWS if host == suffix or host.endswith(f".{suffix}")), None if host else _AWS[0])
    if aws is not None:
        return f"s3.{aws}"
    shown = f"[{host}]" if ":" in host else host
    return shown + (f":{port}" if port and port != _PORTS.get(scheme.lower()) else "") + parts.path.rstrip("/")
