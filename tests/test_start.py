"""The start of the web server: a bad setting ends it at once, with one line that names it."""

import subprocess
import sys
from pathlib import Path

import pytest

from tests.processes import ROOT, environment, free_port

MISSING = "Settings: SECRET_KEY is missing: write at least 16 random characters (make setup does it)"


def start(*options: str, folder: Path = ROOT, **settings: str) -> tuple[bool, list[str]]:
    """Start gunicorn; say whether it ended by itself and with an error, and what it said."""
    command = [sys.executable, "-m", "gunicorn", "wsgi:app", "-b", f"127.0.0.1:{free_port()}", "--no-control-socket"]
    done = subprocess.run(
        [*command, *options],
        env=environment("sqlite://", **settings),
        cwd=folder,
        text=True,
        capture_output=True,
        check=False,
        timeout=20,
    )
    return done.returncode > 0, (done.stdout + done.stderr).splitlines()


@pytest.mark.parametrize("options", [(), ("-w", "3"), ("--preload", "-w", "2"), ("-k", "gthread", "--threads", "4")])
def test_a_missing_setting_stops_the_web_server_at_once_with_one_line(options) -> None:
    assert start(*options, SECRET_KEY="") == (True, [MISSING])


@pytest.mark.parametrize(
    ("name", "value"),
    [("PORT", "70000"), ("DEMO", "yes?"), ("RATE_LIMITS", "maybe"), ("DATABASE_URL", "mysql://user:hunter2@host/name")],
)
def test_whichever_setting_is_bad_the_line_names_it(name: str, value: str) -> None:
    failed, lines = start(**{name: value})
    assert (failed, len(lines), lines[0].startswith(f"Settings: {name}: ")) == (True, 1, True)
    assert "hunter2" not in lines[0]


@pytest.mark.parametrize("workers", ["1", "3"])
def test_started_from_elsewhere_it_stops_too(tmp_path: Path, workers: str) -> None:
    """gunicorn finds gunicorn.conf.py only where it is started: then the workers say it, and end for good."""
    failed, lines = start("--pythonpath", str(ROOT), "-w", workers, folder=tmp_path, SECRET_KEY="")
    assert (failed, MISSING in lines) == (True, True)
    assert "Traceback" not in "\n".join(lines)
    assert [line for line in lines if line.endswith("Reason: App failed to load.")]
