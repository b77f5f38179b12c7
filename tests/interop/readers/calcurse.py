"""calcurse, a calendar for the terminal: keeps neither UID nor STATUS, and times as those on the wall."""

import json
import os
import re
import subprocess
import sys
import tempfile
from datetime import UTC, datetime, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

TIMED = re.compile(r"(?P<start>\S+ @ \S+) -> (?P<end>\S+ @ [0-9:]+)(?:>\w+)? ?\|(?P<title>.*)")
DAYS = re.compile(r"(?P<start>\S+) \[1\] (?:\{1D -> (?P<last>\S+)\} )?(?:>\w+ )?(?P<title>.*)")


def instant(text):
    """Return an instant from a time on the wall."""
    at = datetime.strptime(text, "%m/%d/%Y @ %H:%M").replace(tzinfo=ZoneInfo("Europe/London"))
    return at.astimezone(UTC).isoformat()


def day(text):
    """Return a day."""
    return datetime.strptime(text, "%m/%d/%Y").date()


def event(line):
    """Return the event of a line of its file."""
    if timed := TIMED.fullmatch(line):
        return {"title": timed["title"], "start": instant(timed["start"]), "end": instant(timed["end"])}
    days = DAYS.fullmatch(line)
    end = day(days["last"] or days["start"]) + timedelta(days=1)
    return {"title": days["title"], "start": str(day(days["start"])), "end": str(end)}


with tempfile.TemporaryDirectory() as folder:
    environment = {**os.environ, "TZ": "Europe/London", "LC_ALL": "C.UTF-8"}
    subprocess.run(["calcurse", "-D", folder, "-q", "-i", sys.argv[1]], env=environment, check=True)
    print(json.dumps([event(line) for line in Path(folder, "apts").read_text().splitlines()]))
