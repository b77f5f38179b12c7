"""`make run`: web and scheduler together on this machine, until Ctrl-C."""

import os
import signal
import socket
import subprocess
import sys
import time
from types import FrameType

from booking.core.settings import Settings, SettingsError

HOST = "127.0.0.1"


def main() -> int:
    """Start both; stop both when told to, or when one of them stops."""
    try:
        settings = Settings.load(os.environ)
    except SettingsError as error:
        print(f"Settings: {error}", file=sys.stderr)
        return 1
    if _is_taken(settings.port):
        print(
            f"Port {settings.port} is taken. Stop what uses it, or choose another: make run PORT=5001", file=sys.stderr
        )
        return 1
    stopping = False

    def stop(_signal: int, _frame: FrameType | None) -> None:
        nonlocal stopping
        stopping = True

    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, stop)
    children = [subprocess.Popen(command, start_new_session=True) for command in _commands(settings.port)]  # noqa: S603
    print(f"Open http://{HOST}:{settings.port}/ in a browser. Ctrl-C stops it.", flush=True)
    while not stopping and all(child.poll() is None for child in children):
        time.sleep(0.2)
    failed = not stopping
    for child in children:
        child.terminate()
    for child in children:
        try:
            child.wait(timeout=10)
        except subprocess.TimeoutExpired:
            child.kill()
    return 1 if failed else 0


def _commands(port: int) -> list[list[str]]:
    gunicorn = [sys.executable, "-m", "gunicorn", "wsgi:app", "--bind", f"{HOST}:{port}", "--worker-class", "gthread"]
    gunicorn += ["--workers", "2", "--threads", "8", "--no-control-socket", "--log-level", "warning"]
    return [gunicorn, [sys.executable, "-m", "scheduler"]]


def _is_taken(port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((HOST, port))
        except OSError:
            return True
    return False


if __name__ == "__main__":
    sys.exit(main())
