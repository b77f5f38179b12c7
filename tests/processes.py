"""The program as it runs: gunicorn and the scheduler as processes of their own."""

import os
import socket
import subprocess
import sys
import time
import urllib.error
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.databases import environment_for

ROOT = Path(__file__).parents[1]


def free_port() -> int:
    """Return a port of this machine that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port: int = probe.getsockname()[1]
        return port


def environment(database_url: str, **settings: str) -> dict[str, str]:
    """Return the environment of a process under test: nothing of ours leaks in but the way to programs."""
    kept = {name: os.environ[name] for name in ("PATH", "HOME", "LANG") if name in os.environ}
    # The settings file of this checkout says DEMO=1, and may say more: what a test does not ask for is off.
    off = {"DEMO": "0", **dict.fromkeys(("MAIL_SERVER", "MAIL_PORT", "MAIL_USERNAME", "MAIL_PASSWORD"), "")}
    off |= dict.fromkeys(("MAIL_USE_TLS", "REDIS_URL", "PORT"), "")
    return {**kept, **off, **environment_for(**{"DATABASE_URL": database_url, **settings})}


@contextmanager
def web(
    database_url: str, *, workers: int = 2, threads: int = 8, app: str = "wsgi:app", **settings: str
) -> Iterator[str]:
    """Serve the application through gunicorn; gives its address."""
    port = free_port()
    address = f"http://127.0.0.1:{port}"
    command = [sys.executable, "-m", "gunicorn", app, "-b", f"127.0.0.1:{port}", "-w", str(workers), "-k", "gthread"]
    command += ["--threads", str(threads), "--no-control-socket", "--log-level", "error"]
    env = environment(database_url, **{"BASE_URL": address, **settings})
    server = subprocess.Popen(command, env=env, cwd=ROOT)
    try:
        wait_for(f"{address}/healthz")
        yield address
    finally:
        server.terminate()
        try:
            server.wait(timeout=20)
        except subprocess.TimeoutExpired:
            server.kill()


def scheduler(database_url: str, *arguments: str, **settings: str) -> subprocess.Popen[str]:
    """Start `python -m scheduler`."""
    env = environment(database_url, **settings)
    command = [sys.executable, "-m", "scheduler", *arguments]
    return subprocess.Popen(command, env=env, cwd=ROOT, text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE)


def command(database_url: str, *arguments: str, **settings: str) -> subprocess.CompletedProcess[str]:
    """Run `flask --app wsgi …` to its end."""
    env = environment(database_url, **settings)
    line = [sys.executable, "-m", "flask", "--app", "wsgi", *arguments]
    return subprocess.run(line, env=env, cwd=ROOT, text=True, capture_output=True, check=False, timeout=120)


def wait_for(address: str) -> None:
    """Wait until something answers there."""
    for _ in range(300):
        try:
            urllib.request.urlopen(address, timeout=5).close()
            return
        except (urllib.error.URLError, OSError):
            time.sleep(0.1)
    raise AssertionError(f"{address} did not answer")
