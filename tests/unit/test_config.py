"""Settings: names, normalisation, the environment round trip, generated credentials."""

from __future__ import annotations

import json
from pathlib import Path

import pytest
from pydantic import ValidationError

from meet import credentials
from meet.config import Settings, describe

ROOT = Path(__file__).parents[2]


@pytest.fixture(autouse=True)
def _clean_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, _, _ in describe():
        monkeypatch.delenv(name, raising=False)


def test_environment_names_and_durations(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_PORT", "7000")
    monkeypatch.setenv("MEET_ACCESS_TOKEN_EXPIRATION", "30m")
    monkeypatch.setenv("MEET_RTC_ADVERTISED", "10.0.0.1, 192.168.1.2")
    settings = Settings.load()
    assert settings.port == 7000
    assert settings.access_token_expiration == 1800
    assert settings.rtc_advertised == ("10.0.0.1", "192.168.1.2")


def test_options_win_over_the_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("SERVER_PORT", "7000")
    assert Settings.load(port=8000, host=None).port == 8000


@pytest.mark.parametrize(
    ("given", "kept"),
    [("/meet/", "/meet"), ("/", ""), ("a/b", "/a/b"), ("", "/meet")],
    ids=["slash", "root", "deep", "empty"],
)
def test_base_path_is_normalised(monkeypatch: pytest.MonkeyPatch, given: str, kept: str) -> None:
    monkeypatch.setenv("MEET_BASE_PATH", given)
    assert Settings.load().base_path == kept


@pytest.mark.parametrize(("host", "local"), [("::1", "[::1]"), ("::", "[::1]"), ("0.0.0.0", "127.0.0.1")])
def test_our_own_processes_reach_us(host: str, local: str) -> None:
    settings = Settings.load(host=host, port=6080, livekit_port=7880)
    assert (settings.backend_url, settings.livekit_url_private) == (f"http://{local}:6080", f"ws://{local}:7880")


def test_base_url_drops_slash_and_default_port() -> None:
    assert Settings.load(base_url="https://meet.example:443/").base_url == "https://meet.example"
    assert Settings.load(base_url="http://meet.example:6080").base_url == "http://meet.example:6080"


@pytest.mark.parametrize(
    "overrides",
    [
        {"tls_cert": Path("a.pem")},
        {"port": 70000},
        {"livekit_url": "ftp://x"},
        {"livekit_public_url": "https://x"},
        {"livekit_public_url": "wss:///rtc"},
        {"livekit_public_url": "wss://user:word@x"},
        {"livekit_public_url": "wss://x:99999"},
        {"livekit_public_url": "wss://x:port"},
        {"livekit_public_url": "wss://x/?a=b"},
        {"livekit_public_url": "wss://x", "livekit_url": "wss://y"},
        {"s3_sse_type": "SSE-KMS"},
        {"access_token_expiration": "soon"},
        {"rate_limits_shared": "an office"},
    ],
    ids=lambda value: next(iter(value)),
)
def test_what_is_wrong_is_refused(overrides: dict[str, object]) -> None:
    with pytest.raises(ValidationError):
        Settings.load(**overrides)


def test_a_child_reads_the_same_settings(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    settings = Settings.load(
        data_dir=tmp_path,
        port=1234,
        rtc_advertised=("1.2.3.4",),
        access_token_expiration="90s",
        captions_enabled=True,
        rate_limits_shared="203.0.113.7, 2001:db8::/32",
    )
    for name, value in settings.to_env().items():
        monkeypatch.setenv(name, value)
    assert Settings.load() == settings


def test_settings_are_frozen() -> None:
    with pytest.raises(ValidationError):
        Settings.load().port = 1  # type: ignore[misc]


def test_every_setting_is_documented() -> None:
    text = (ROOT / "docs" / "configuration.md").read_text()
    assert [name for name, _, _ in describe() if f"`{name}`" not in text] == []


def test_credentials_are_generated_once_and_kept_private(tmp_path: Path) -> None:
    first = credentials.fill(Settings.load(data_dir=tmp_path))
    second = credentials.fill(Settings.load(data_dir=tmp_path))
    assert first == second
    assert first.initial_api_key.startswith("ovmeet-")
    assert len(first.livekit_api_secret) >= 32
    path = tmp_path / "secrets.json"
    assert path.stat().st_mode & 0o777 == 0o600
    assert json.loads(path.read_text())["initial_admin_password"] == first.initial_admin_password


def test_given_credentials_win_and_are_not_written(tmp_path: Path) -> None:
    settings = credentials.fill(Settings.load(data_dir=tmp_path, initial_api_key="ovmeet-given"))
    assert settings.initial_api_key == "ovmeet-given"
    assert "ovmeet-given" not in (tmp_path / "secrets.json").read_text()


def test_guessable_credentials_never_answer_beyond_loopback(tmp_path: Path) -> None:
    open_to_all = Settings.load(data_dir=tmp_path, host="0.0.0.0", initial_admin_password="admin")
    with pytest.raises(credentials.WeakCredentials, match="MEET_INITIAL_ADMIN_PASSWORD"):
        credentials.fill(open_to_all)
    local = Settings.load(data_dir=tmp_path, initial_admin_password="admin")
    assert credentials.fill(local).initial_admin_password == "admin"


@pytest.mark.parametrize(
    ("environment", "limited"),
    [({}, True), ({"MEET_RATE_LIMITS": "false"}, False), ({"NODE_ENV": "test"}, False), ({"NODE_ENV": "x"}, True)],
    ids=["default", "off", "test", "production"],
)
def test_rate_limits_are_on_unless_switched_off(
    monkeypatch: pytest.MonkeyPatch, environment: dict[str, str], limited: bool
) -> None:
    for name, value in environment.items():
        monkeypatch.setenv(name, value)
    assert Settings.load().limits_requests is limited


def test_a_webhook_url_needs_a_scheme(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("MEET_INITIAL_WEBHOOK_URL", "receiver.example")
    with pytest.raises(ValidationError, match="MEET_INITIAL_WEBHOOK_URL"):
        Settings.load()
