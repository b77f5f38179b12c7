"""Radicale, a calendar server: what it was given whole, it gives back event by event over CalDAV."""

import json
import subprocess
import sys
import tempfile
import time
import urllib.error
import urllib.request
import xml.etree.ElementTree as ET
from datetime import UTC, datetime
from pathlib import Path

import vobject

PORT = 5391
ADDRESS = f"http://127.0.0.1:{PORT}/somebody/feed/"
QUERY = """<?xml version="1.0"?>
<C:calendar-query xmlns:C="urn:ietf:params:xml:ns:caldav" xmlns:D="DAV:">
  <D:prop><C:calendar-data/></D:prop>
  <C:filter><C:comp-filter name="VCALENDAR"><C:comp-filter name="VEVENT"/></C:comp-filter></C:filter>
</C:calendar-query>"""


def ask(method, body, kind):
    """Return what the server answers; it may still be starting."""
    who = {"Authorization": "Basic c29tZWJvZHk6eA=="}  # somebody:x, where no password is asked for
    request = urllib.request.Request(ADDRESS, body, {"Content-Type": kind, "Depth": "1", **who}, method=method)
    for _ in range(100):
        try:
            with urllib.request.urlopen(request) as answer:
                return answer.read()
        except urllib.error.HTTPError:
            raise
        except urllib.error.URLError:
            time.sleep(0.1)
    raise TimeoutError("Radicale did not start")


def when(value):
    """Return a day or an instant."""
    return value.astimezone(UTC).isoformat() if isinstance(value, datetime) else str(value)


def event(text):
    """Return one event as the server gives it."""
    found = vobject.readOne(text).vevent
    return {
        "uid": found.uid.value,
        "title": found.summary.value,
        "start": when(found.dtstart.value),
        "end": when(found.dtend.value),
        "status": found.status.value,
    }


with tempfile.TemporaryDirectory() as folder:
    settings = ["--storage-filesystem-folder", folder, "--server-hosts", f"127.0.0.1:{PORT}", "--auth-type", "none"]
    with subprocess.Popen([sys.executable, "-m", "radicale", *settings], stderr=subprocess.DEVNULL) as server:
        try:
            ask("PUT", Path(sys.argv[1]).read_bytes(), "text/calendar")
            answer = ET.fromstring(ask("REPORT", QUERY.encode(), "application/xml"))
        finally:
            server.terminate()
    print(json.dumps([event(data.text) for data in answer.iter("{urn:ietf:params:xml:ns:caldav}calendar-data")]))
