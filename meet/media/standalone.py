"""`python -m meet.media.main --dev`: the media server alone, for development and tests."""

from __future__ import annotations

import argparse
import sys

import structlog
import uvloop

from meet.media.main import MediaConfig, MediaServer, serve_config


def main() -> None:
    """Parse arguments, serve, print `READY <http port> <udp port>` when ready."""
    parser = argparse.ArgumentParser(description="LiveKit-protocol media server, alone, for development")
    parser.add_argument("--dev", action="store_true", help="accepted for clarity; this entry point is for development")
    parser.add_argument("--host", default="127.0.0.1", help="address of the signalling port (default %(default)s)")
    parser.add_argument("--port", type=int, default=7880, help="signalling port, 0 = free (default %(default)s)")
    parser.add_argument("--rtc-host", default="0.0.0.0", help="address of the media port (default: all)")
    parser.add_argument("--rtc-port", type=int, default=7882, help="UDP media port, 0 = free (default %(default)s)")
    parser.add_argument("--advertise", action="append", default=[], help="address for ICE candidates; repeatable")
    parser.add_argument("--api-key", default="devkey", help="API key (default %(default)s)")
    parser.add_argument(
        "--api-secret", default="devsecret-devsecret-devsecret-devsecret", help="its secret (default %(default)s)"
    )
    arguments = parser.parse_args()
    structlog.configure(logger_factory=structlog.PrintLoggerFactory(sys.stderr))
    config = MediaConfig(
        keys={arguments.api_key: arguments.api_secret},
        host=arguments.host,
        port=arguments.port,
        rtc_host=arguments.rtc_host,
        rtc_port=arguments.rtc_port,
        rtc_advertised=tuple(arguments.advertise),
    )

    def ready(server: MediaServer) -> None:
        sys.stdout.write(f"READY {server.port} {server.rtc_port}\n")
        sys.stdout.flush()

    uvloop.run(serve_config(config, on_ready=ready))
