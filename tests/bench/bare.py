"""The least Flask application that answers with the bytes of a feed: what the program's own is measured against."""

import gzip
import os
from pathlib import Path

from flask import Flask, Response, request

BODY = Path(os.environ["BENCH_FEED"]).read_bytes()
ZIPPED = gzip.compress(BODY, 6, mtime=0)

app = Flask(__name__)


@app.get("/healthz")
def healthz() -> str:
    """Say that the process is alive."""
    return "alive\n"


@app.get("/feeds/calendar.ics")
def feed() -> Response:
    """Answer with the bytes, or 304."""
    zipped = request.accept_encodings["gzip"] > 0
    answer = Response(ZIPPED if zipped else BODY, content_type="text/calendar; charset=utf-8")
    if zipped:
        answer.headers["Content-Encoding"] = "gzip"
    answer.set_etag("zipped" if zipped else "plain")
    return answer.make_conditional(request)
