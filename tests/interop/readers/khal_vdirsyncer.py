"""khal, fed by vdirsyncer from an address as its users do; vdirsyncer names what it fetches by its content."""

import json
import subprocess
import sys
import tempfile
from datetime import date, timedelta
from pathlib import Path

PROGRAMS = Path(sys.executable).parent
FIELDS = ("title", "start-long-full", "end-long-full", "all-day", "status")
KHAL = """
[calendars]
[[feed]]
path = {folder}/feed
[locale]
local_timezone = UTC
default_timezone = UTC
timeformat = %H:%M:%S
dateformat = %Y-%m-%d
longdateformat = %Y-%m-%d
datetimeformat = %Y-%m-%dT%H:%M:%SZ
longdatetimeformat = %Y-%m-%dT%H:%M:%SZ
[sqlite]
path = {folder}/khal.db
"""
VDIRSYNCER = """
[general]
status_path = "{folder}/status/"
[pair feed]
a = "address"
b = "folder"
collections = null
[storage address]
type = "http"
url = "{address}"
[storage folder]
type = "filesystem"
path = "{folder}/feed"
fileext = ".ics"
"""


def event(shown):
    """Return one event of its list; the end of whole days is the last of them there."""
    start, end = shown["start-long-full"], shown["end-long-full"]
    if shown["all-day"] == "True":
        start, end = start[:10], str(date.fromisoformat(end[:10]) + timedelta(days=1))
    return {"title": shown["title"], "start": start, "end": end, "status": shown["status"].strip()}


with tempfile.TemporaryDirectory() as folder:
    Path(folder, "feed").mkdir()
    Path(folder, "khal.conf").write_text(KHAL.format(folder=folder))
    Path(folder, "vdirsyncer.conf").write_text(VDIRSYNCER.format(folder=folder, address=sys.argv[2]))
    for command in ("discover", "sync"):
        fetch = [PROGRAMS / "vdirsyncer", "-c", f"{folder}/vdirsyncer.conf", command]
        subprocess.run(fetch, check=True, capture_output=True)
    ask = [PROGRAMS / "khal", "-c", f"{folder}/khal.conf", "list", "--once"]
    ask += [part for field in FIELDS for part in ("--json", field)]
    listed = subprocess.run([*ask, "2026-09-01", "500d"], check=True, capture_output=True, text=True).stdout
    print(json.dumps([event(shown) for line in listed.splitlines() for shown in json.loads(line)]))
