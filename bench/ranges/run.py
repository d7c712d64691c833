"""`python -m bench.ranges.run [--mib 500] [--rounds 3]`: prints CPU s/GB of both servers and their ratio.

CPU is user plus system time of the server's processes only. The file is in the page cache; the client reads it in
ranges of 8 MiB over one keep-alive connection, the way players do.
"""

from __future__ import annotations

import argparse
import os
import shutil
import socket
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import psutil

from tests.support.ports import free_port

ROOT = Path(__file__).parents[2]
RANGE = 8 * 1024 * 1024
TARGET = 0.25
NGINX_CONF = """
worker_processes 1; daemon off; pid {dir}/nginx.pid; error_log {dir}/error.log;
events {{ worker_connections 64; }}
http {{
  access_log off; sendfile on; types {{ video/mp4 mp4; }} keepalive_requests 1000000;
  client_body_temp_path {dir}/t1; proxy_temp_path {dir}/t2; fastcgi_temp_path {dir}/t3; uwsgi_temp_path {dir}/t4;
  scgi_temp_path {dir}/t5;
  server {{ listen 127.0.0.1:{port}; location /media/ {{ alias {files}/; }} }}
}}
"""


def cpu_seconds(process: psutil.Process) -> float:
    """User and system seconds of the process and its children so far."""
    times = [member.cpu_times() for member in [process, *process.children(recursive=True)]]
    return sum(each.user + each.system for each in times)


def fetch(port: int, size: int) -> int:
    """Read the file in ranges; returns body bytes."""
    buffer = bytearray(1024 * 1024)
    total = 0
    with socket.create_connection(("127.0.0.1", port)) as link:
        for start in range(0, size, RANGE):
            end = min(start + RANGE, size) - 1
            link.sendall(f"GET /media/f.mp4 HTTP/1.1\r\nHost: b\r\nRange: bytes={start}-{end}\r\n\r\n".encode())
            head = b""
            while b"\r\n\r\n" not in head:
                head += link.recv(4096)
            if not head.startswith(b"HTTP/1.1 206"):
                raise RuntimeError(head.splitlines()[0].decode())
            left = end - start + 1 - len(head.partition(b"\r\n\r\n")[2])
            total += end - start + 1
            while left:
                left -= link.recv_into(buffer, min(left, len(buffer)))
    return total


@contextmanager
def server(command: list[str], port: int) -> Iterator[psutil.Process]:
    child = subprocess.Popen(command, cwd=ROOT, stdout=subprocess.DEVNULL)
    try:
        for _ in range(200):
            try:
                socket.create_connection(("127.0.0.1", port)).close()
                break
            except OSError:
                time.sleep(0.05)
        yield psutil.Process(child.pid)
    finally:
        child.terminate()
        child.wait(20)


def measure(process: psutil.Process, port: int, size: int) -> float:
    before = cpu_seconds(process)
    read = fetch(port, size)
    return (cpu_seconds(process) - before) / (read / 1e9)


def main() -> None:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--mib", type=int, default=500)
    parser.add_argument("--rounds", type=int, default=5)
    options = parser.parse_args()
    nginx = shutil.which("nginx") or "/usr/sbin/nginx"
    if not Path(nginx).exists():
        sys.exit("nginx is not installed: apt-get install nginx-light")
    with tempfile.TemporaryDirectory(prefix="meet-bench-") as folder:
        Path(folder).chmod(0o755)
        files = Path(folder) / "files"
        files.mkdir(mode=0o755)
        with (files / "f.mp4").open("wb") as file:
            for _ in range(options.mib):
                file.write(os.urandom(1024 * 1024))
        size = options.mib * 1024 * 1024
        theirs_port, ours_port = free_port(), free_port()
        conf = Path(folder) / "nginx.conf"
        conf.write_text(NGINX_CONF.format(dir=folder, port=theirs_port, files=files))
        command = [sys.executable, "-m", "bench.ranges.app", str(files), str(ours_port)]
        with server([nginx, "-c", str(conf)], theirs_port) as theirs, server(command, ours_port) as ours:
            for process, port in ((theirs, theirs_port), (ours, ours_port)):
                measure(process, port, min(size, 64 * 1024 * 1024))
            pairs = [
                (measure(theirs, theirs_port, size), measure(ours, ours_port, size)) for _ in range(options.rounds)
            ]
    # The lowest of the rounds: other work on the machine only ever adds.
    nginx_cost, our_cost = (min(costs) for costs in zip(*pairs, strict=True))
    print(f"nginx sendfile  {nginx_cost:.3f} CPU s/GB")
    print(
        f"meet ranges     {our_cost:.3f} CPU s/GB   (target <= {TARGET}: {'met' if our_cost <= TARGET else 'MISSED'})"
    )
    print(f"ratio           {our_cost / nginx_cost:.2f}x nginx")


if __name__ == "__main__":
    main()
