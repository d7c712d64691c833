"""HTTPS and WSS with a self-signed certificate: pages, media server and recorder all trust what they must."""

from __future__ import annotations

import asyncio
import datetime
import ipaddress
from pathlib import Path

import aiohttp
import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from cryptography.x509.oid import NameOID

from meet.demo.server import Server
from tests.e2e.browser import pages


def self_signed(directory: Path) -> tuple[Path, Path]:
    """(certificate, key) as PEM files, for 127.0.0.1."""
    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "meet.test")])
    now = datetime.datetime.now(datetime.UTC)
    address = x509.IPAddress(ipaddress.ip_address("127.0.0.1"))
    certificate = (
        x509.CertificateBuilder()
        .subject_name(name)
        .issuer_name(name)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now - datetime.timedelta(days=1))
        .not_valid_after(now + datetime.timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([address]), critical=False)
        .sign(key, hashes.SHA256())
    )
    pem = serialization.Encoding.PEM
    cert_path, key_path = directory / "cert.pem", directory / "key.pem"
    cert_path.write_bytes(certificate.public_bytes(pem))
    key_path.write_bytes(key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()))
    return cert_path, key_path


@pytest.mark.timeout(300)
async def test_a_recorded_meeting_over_https(tmp_path: Path) -> None:
    cert, key = self_signed(tmp_path)
    env = {"MEET_MEDIA_PROCESSES": "2"}  # then the front encrypts
    async with Server(tmp_path / "data", env=env, args=("--tls-cert", str(cert), "--tls-key", str(key))) as server:
        assert server.url.startswith("https://")
        connector = aiohttp.TCPConnector(ssl=False)
        async with aiohttp.ClientSession(
            server.url, headers={"X-API-KEY": server.api_key}, connector=connector
        ) as session:
            async with session.get("/readyz") as response:
                assert response.status == 200, await response.text()
            async with session.post("/api/v1/rooms", json={"roomName": "Private"}) as response:
                room = await response.json()
            link = room["access"]["anonymous"]["moderator"]["url"]
            async with pages.chromium("--ignore-certificate-errors") as browser:
                ada, grace = await pages.windows(browser, 2, ignore_https_errors=True)
                await pages.join_room(ada, link, "Ada")
                await pages.join_room(grace, link, "Grace")
                await pages.video_advances(pages.tile_of(ada, "Grace"))
                await pages.start_recording(ada)
                await asyncio.sleep(2)
                await pages.stop_recording(ada)
            async with session.get("/api/v1/recordings") as response:
                recordings = (await response.json())["recordings"]
    assert [recording["status"] for recording in recordings] == ["complete"]
