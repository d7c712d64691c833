"""Each check finds its trouble, and says what to do."""

from __future__ import annotations

import asyncio
import json
import os
import socket
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta
from pathlib import Path
from types import SimpleNamespace
from typing import Any

import httpx
import pytest
from click.testing import CliRunner
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from sqlalchemy import delete, insert

from meet.cli import main
from meet.config import Settings
from meet.db import Database
from meet.db.tables import global_config
from meet.doctor import certificate, data, examine, machine, network, store, webhooks
from meet.doctor import settings as environment
from meet.doctor.report import Finding
from meet.recorder import state
from meet.recorder.composer import text
from meet.recorder.state import EgressState
from meet.supervisor import lock
from tests.unit.db.samples import recording, room


def levels(findings: Iterable[Finding]) -> list[str]:
    """How it is; every trouble comes with advice."""
    found = list(findings)
    assert all(bool(finding.advice) == (finding.level != "ok") for finding in found), found
    return [finding.level for finding in found]


def load(tmp_path: Path, **more: Any) -> Settings:
    return Settings.load(data_dir=tmp_path, **more)


@pytest.fixture
def data_dir(tmp_path: Path) -> Path:
    """A data directory with a database, as a server leaves it."""
    directory = tmp_path / "data"
    directory.mkdir(mode=0o700)
    Database.open(directory / "meet.db").close()
    return directory


def test_a_directory_that_is_there_and_one_that_is_not(data_dir: Path) -> None:
    assert levels(data.check_directory(load(data_dir), None)) == ["ok", "ok"]
    assert levels(data.check_directory(load(data_dir / "new" / "one"), None)) == ["ok"]
    assert not (data_dir / "new").exists()


def test_open_directories_and_secrets(data_dir: Path) -> None:
    (data_dir / "secrets.json").write_text("{}")
    data_dir.chmod(0o755)
    findings = list(data.check_directory(load(data_dir), None))
    assert levels(findings) == ["warn", "fail", "ok"]
    assert [finding.advice for finding in findings[:2]] == [
        f"chmod 700 {data_dir}",
        f"chmod 600 {data_dir}/secrets.json",
    ]


def test_recordings_that_wait(data_dir: Path) -> None:
    """What is over stays in the spool for seven days, and a start that was cut off is swept up: neither waits."""
    for name in ("EG_over", "EG_starting", "EG_waits", "EG_damaged", "EG_lost"):
        (data_dir / "spool" / name).mkdir(parents=True)
    now = EgressState("EG_x", "a", "ending", "grid", "H264_720P_30", "a/b.mp4")
    state.write(data_dir / "spool" / "EG_over" / "state.json", now.advance("complete"))
    state.write(data_dir / "spool" / "EG_lost" / "state.json", now)
    for name in ("EG_over", "EG_waits"):
        (data_dir / "spool" / name / "request.json").write_text("{}")
    (data_dir / "spool" / "EG_damaged" / "request.json").write_text('{"room_na')
    broken, waiting = (found for found in data.check_directory(load(data_dir), None) if found.check == "recordings")
    assert (broken.level, broken.text) == ("warn", "2 in the spool cannot be read (EG_damaged, EG_lost)")
    assert (waiting.level, waiting.text) == ("warn", "1 in the spool, to be finished at the next start")


def test_the_database(data_dir: Path) -> None:
    (finding,) = data.check_database(load(data_dir))
    assert finding.level == "ok"
    assert "consistent" in finding.text
    assert levels(data.check_database(load(data_dir / "none"))) == ["ok"]


@pytest.mark.parametrize(("revision", "level"), [("0001", "warn"), ("9999", "fail")])
def test_the_schema_of_another_version(data_dir: Path, revision: str, level: str) -> None:
    database = Database(data_dir / "meet.db")
    database.reader.exec_driver_sql(f"UPDATE alembic_version SET version_num = '{revision}'")
    database.close()
    assert levels(data.check_database(load(data_dir))) == [level]


def test_a_damaged_database(data_dir: Path) -> None:
    path = data_dir / "meet.db"
    content = bytearray(path.read_bytes())
    content[4096 * 3 : 4096 * 6] = b"\xff" * 4096 * 3
    path.write_bytes(content)
    assert levels(data.check_database(load(data_dir))) == ["fail"]
    path.write_text("something else")
    assert levels(data.check_database(load(data_dir))) == ["fail"]


@pytest.mark.parametrize(("free", "level"), [(10**8, "fail"), (2 * 10**9, "warn"), (10**11, "ok")])
def test_the_disk(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, free: int, level: str) -> None:
    usage = type("Usage", (), {"free": free})
    monkeypatch.setattr("meet.doctor.machine.shutil.disk_usage", lambda _: usage)
    assert levels(machine.check_disk(load(tmp_path / "not" / "yet"))) == [level]


@pytest.mark.parametrize(("skew_s", "level"), [(0, "ok"), (60, "ok"), (-3600, "fail"), (3600, "fail")])
def test_the_clock_of_the_store(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, skew_s: int, level: str) -> None:
    date = datetime.now(UTC) - timedelta(seconds=skew_s)
    header = {"Date": date.strftime("%a, %d %b %Y %H:%M:%S GMT")}
    monkeypatch.setattr("meet.doctor.machine.httpx.head", lambda *_, **__: httpx.Response(403, headers=header))
    assert levels(machine.check_clock(load(tmp_path, blob_storage_mode="s3"))) == [level]


def test_a_clock_that_was_set_back(data_dir: Path) -> None:
    assert levels(machine.check_clock(load(data_dir))) == ["ok"]
    tomorrow = (datetime.now(UTC) + timedelta(days=1)).timestamp() * 1000
    database = Database(data_dir / "meet.db")
    database.reader.exec_driver_sql(
        "INSERT INTO users (user_id, name, name_folded, role, registration_date, role_updated_at, password_hash, "
        f"must_change_password) VALUES ('alice', 'A', 'a', 'admin', {int(tomorrow)}, 0, '', 0)"
    )
    database.close()
    assert levels(machine.check_clock(load(data_dir))) == ["warn"]


def test_codecs(monkeypatch: pytest.MonkeyPatch) -> None:
    assert levels(machine.check_codecs()) == ["ok"]
    monkeypatch.setitem(machine._ENCODERS, "libnothing", "nothing")
    (finding,) = machine.check_codecs()
    assert (finding.level, "libnothing" in finding.text) == ("fail", True)


def test_fonts(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(text, "_system_fonts", lambda: ())
    (finding,) = machine.check_fonts()
    assert (finding.level, "Arabic, Hebrew" in finding.text, "noto" in finding.advice) == ("warn", True, True)
    monkeypatch.setattr(machine, "_SCRIPTS", {"Greek": "Ω"})
    assert levels(machine.check_fonts()) == ["ok"]


async def _recorded(data_dir: Path) -> None:
    """Recordings in three stores."""
    database = Database.open(data_dir / "meet.db")
    made = database.repositories()
    await made.rooms.add(room())
    for number, place in enumerate(("fs", "s3://old:9000/b", None)):
        await made.recordings.create(recording(number, status="complete", store=place))
    database.close()


def test_former_stores(data_dir: Path) -> None:
    assert levels(store.check_former(load(data_dir / "none"))) == []
    assert levels(store.check_former(load(data_dir))) == []
    asyncio.run(_recorded(data_dir))
    unknown, gone = store.check_former(load(data_dir))
    assert levels([unknown, gone]) == ["warn", "warn"]
    assert "s3://old:9000/b" in gone.text and "MEET_S3_FORMER_STORES" in gone.text
    (data_dir / "storage").mkdir()
    assert levels(store.check_former(load(data_dir, blob_storage_mode="s3"))) == ["warn", "ok", "warn"]
    assert levels(store.check_former(load(data_dir, s3_former_stores="nonsense"))) == ["fail"]


def test_stores(tmp_path: Path) -> None:
    assert levels(store.check(load(tmp_path))) == ["ok"]
    nobody = {"blob_storage_mode": "s3", "s3_service_endpoint": "http://127.0.0.1:1"}
    assert levels(store.check(load(tmp_path, **nobody))) == ["fail"]
    assert list(tmp_path.iterdir()) == []


def test_a_read_only_file_system_is_no_matter_of_owners(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    (tmp_path / "storage").mkdir()
    monkeypatch.setattr(os, "access", lambda *_: False)
    (finding,) = store.check(load(tmp_path))
    assert "chown" in finding.advice
    real = os.statvfs(tmp_path)
    monkeypatch.setattr(os, "statvfs", lambda _: SimpleNamespace(f_flag=real.f_flag | os.ST_RDONLY))
    for finding in (*store.check(load(tmp_path)), next(iter(data.check_directory(load(tmp_path), None)))):
        assert (finding.level, "mounted read-only" in finding.text) == ("fail", True)


def issue(directory: Path, days: int, name: str = "meet.test", start_days: int = -1) -> tuple[Path, Path]:
    """A self-signed certificate and its key."""
    key = ec.generate_private_key(ec.SECP256R1())
    now = datetime.now(UTC)
    subject = x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)])
    made = (
        x509.CertificateBuilder()
        .subject_name(subject)
        .issuer_name(subject)
        .public_key(key.public_key())
        .serial_number(x509.random_serial_number())
        .not_valid_before(now + timedelta(days=min(start_days, days - 1)))
        .not_valid_after(now + timedelta(days=days))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        .sign(key, hashes.SHA256())
    )
    cert_path, key_path = directory / f"{name}{days}.pem", directory / f"{name}{days}.key"
    cert_path.write_bytes(made.public_bytes(serialization.Encoding.PEM))
    plain = serialization.NoEncryption()
    key_path.write_bytes(key.private_bytes(serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, plain))
    return cert_path, key_path


@pytest.mark.parametrize(("days", "level"), [(90, "ok"), (5, "warn"), (-1, "fail")])
def test_the_dates_of_the_certificate(tmp_path: Path, days: int, level: str) -> None:
    cert, key = issue(tmp_path, days)
    assert levels(certificate.check(load(tmp_path, tls_cert=cert, tls_key=key))) == [level, "ok"]


@pytest.mark.parametrize(
    ("name", "url", "expected"),
    [
        ("meet.test", "https://meet.test", ["ok"]),
        ("*.test", "https://meet.test:8443", ["ok"]),
        ("*.test", "https://a.meet.test", ["ok", "fail"]),
        ("other.test", "https://meet.test", ["ok", "fail"]),
    ],
)
def test_the_names_of_the_certificate(tmp_path: Path, name: str, url: str, expected: list[str]) -> None:
    cert, key = issue(tmp_path, 90, name)
    assert levels(certificate.check(load(tmp_path, tls_cert=cert, tls_key=key, base_url=url))) == expected


def test_a_key_of_another_certificate(tmp_path: Path) -> None:
    cert, _ = issue(tmp_path, 90)
    _, other = issue(tmp_path, 91)
    (finding,) = certificate.check(load(tmp_path, tls_cert=cert, tls_key=other))
    assert (finding.level, finding.text) == ("fail", f"{cert}: the key does not belong to it")
    other.unlink()
    assert levels(certificate.check(load(tmp_path, tls_cert=cert, tls_key=other))) == ["fail"]


@pytest.mark.parametrize(
    ("url", "status", "level"),
    [
        ("wss://meet.test", 401, "ok"),
        ("wss://meet.test/media", 404, "fail"),
        ("wss://meet.test", None, "warn"),
        ("ws://meet.test", 401, "fail"),
    ],
)
def test_what_clients_are_told(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str, status: int | None, level: str
) -> None:
    def get(asked: str, **_: Any) -> httpx.Response:
        assert asked == f"{url.replace('wss', 'https')}/rtc/validate"
        if status is None:
            raise httpx.ConnectError("no route")
        return httpx.Response(status)

    monkeypatch.setattr("meet.doctor.network.httpx.get", get)
    settings = load(tmp_path, livekit_public_url=url, base_url="https://meet.test")
    assert levels([network._public(settings)]) == [level]


def test_no_certificate(tmp_path: Path) -> None:
    assert levels(certificate.check(load(tmp_path))) == []
    assert levels(certificate.check(load(tmp_path, host="0.0.0.0"))) == ["warn"]
    assert levels(certificate.check(load(tmp_path, host="0.0.0.0", base_url="https://meet.test"))) == []


def test_a_port_that_is_taken(tmp_path: Path) -> None:
    with socket.socket() as taken:
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        number = taken.getsockname()[1]
        findings = list(network.check(load(tmp_path, port=number, livekit_port=0, rtc_port=0), None))
    assert levels(findings) == ["fail", "ok", "ok", "ok"]
    assert f"port {number} is already in use" in findings[0].text


def test_ports_of_a_server_that_is_starting(tmp_path: Path) -> None:
    """They are its own."""
    with socket.socket() as taken, lock.acquire(tmp_path):
        taken.bind(("127.0.0.1", 0))
        taken.listen()
        settings = load(tmp_path, port=taken.getsockname()[1], livekit_port=0, rtc_port=0)
        assert levels(network.check(settings, None)) == []
        starting = next(found for found in data.check_directory(settings, None) if found.check == "server")
        assert (starting.level, f"pid {os.getpid()} is starting" in starting.text) == ("warn", True)


@pytest.mark.parametrize(
    ("url", "allowed", "level"),
    [
        ("http://127.0.0.1:5080/webhook?key=geheim", False, "fail"),
        ("http://localhost/webhook", False, "fail"),
        ("http://[::1]:5080/", True, "ok"),
        ("https://a..b/", False, "warn"),
        ("https://[", False, "warn"),
        ("https://1.1.1.1/hook", False, "ok"),
    ],
)
def test_where_webhooks_go(data_dir: Path, tmp_path: Path, url: str, allowed: bool, level: str) -> None:
    """Those of the first start, and then those that are stored."""
    settings = load(
        tmp_path / "new", initial_webhook_url=url, initial_webhook_enabled=True, webhook_allow_private=allowed
    )
    (first,) = webhooks.check(settings)
    assert levels([first]) == [level]
    assert "geheim" not in first.text and "webhook" not in first.text
    assert level != "fail" or "MEET_WEBHOOK_ALLOW_PRIVATE" in first.advice
    settings = load(data_dir, initial_webhook_url="http://1.1.1.1/", webhook_allow_private=allowed)
    assert levels(webhooks.check(settings)) == []
    database = Database(data_dir / "meet.db")
    for enabled in (True, False):
        document = json.dumps({"webhooksConfig": {"enabled": enabled, "url": url}})
        database.reader.execute(delete(global_config))
        database.reader.execute(insert(global_config), {"project_id": settings.name_id, "document": document})
        database.reader.commit()
        assert levels(webhooks.check(settings)) == ([level] if enabled else [])
    database.close()


def test_an_outer_media_server(tmp_path: Path) -> None:
    outer = {"livekit_url": "ws://127.0.0.1:1", "port": 0}
    assert levels(network.check(load(tmp_path, **outer), None)) == ["ok", "warn"]
    keys = {"livekit_api_key": "key", "livekit_api_secret": "s" * 32}
    assert levels(network.check(load(tmp_path, **outer, **keys), None)) == ["ok", "fail"]


def test_variables_nobody_reads(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEET_LOG_LEVLE", "debug")
    monkeypatch.setenv("MEET_ADMIN_PASSWORD", "of the command line")
    ok, unread = environment.check(load(tmp_path))
    assert (ok.level, unread.level) == ("ok", "warn")
    assert "MEET_LOG_LEVLE" in unread.text
    assert "MEET_ADMIN_PASSWORD" not in unread.text


def test_settings_that_are_refused(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    weak = load(tmp_path, host="0.0.0.0", initial_api_key="meet-api-key")
    assert levels(environment.check(weak))[0] == "fail"
    monkeypatch.setenv("MEET_TLS_CERT", "/only/one/of/two")
    assert levels(examine(data_dir=tmp_path)) == ["fail"]


def test_the_command(data_dir: Path) -> None:
    ports = ["--port", "0", "--livekit-port", "0", "--rtc-port", "0"]
    well = CliRunner().invoke(main, ["doctor", "--data-dir", str(data_dir), *ports])
    assert well.exit_code == 0, well.output
    assert "ok    database" in well.output
    (data_dir / "meet.db").write_text("something else")
    ill = CliRunner().invoke(main, ["doctor", "--data-dir", str(data_dir), *ports])
    assert ill.exit_code == 1
    assert "fail  database" in ill.output
    assert "-> " in ill.output


@pytest.mark.parametrize("answers", [True, False])
def test_media_over_tcp(answers: bool) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        if answers:
            listener.listen()
        finding = network._tcp(listener.getsockname()[1])
    assert levels([finding]) == ["ok" if answers else "fail"]


@pytest.mark.parametrize(("status", "level"), [(200, "ok"), (404, "fail")])
def test_metrics(tmp_path: Path, monkeypatch: pytest.MonkeyPatch, status: int, level: str) -> None:
    def get(url: str, **_: Any) -> httpx.Response:
        assert url == "http://127.0.0.1:9100/metrics"
        return httpx.Response(status, request=httpx.Request("GET", url))

    monkeypatch.setattr("meet.doctor.network.httpx.get", get)
    assert levels([network._metrics(load(tmp_path, metrics_host="0.0.0.0", metrics_port=9100))]) == [level]
