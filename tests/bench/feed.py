"""The feed of a thousand events, against a bare Flask view of the same bytes."""

import tempfile
from collections.abc import Iterator
from contextlib import closing, contextmanager
from dataclasses import dataclass
from pathlib import Path
from time import process_time, sleep

from flask import Flask

from booking.calendar.models import Event
from booking.core.db import db
from tests.bench import report, stage
from tests.bench.load import CLIENTS, Connection, Measured, alone, measure
from tests.processes import web

# In turns, so that what else the machine does meets both alike.
EVENTS, ROUNDS, SECONDS = 1000, 3, 2
PATH = "/feeds/calendar.ics"
UNTIL_KEPT = 2.5  # a feed is kept when its date tells it from what was before
OF_NOTHING = f"{PATH}?from=2099-01-01"


@dataclass(frozen=True, slots=True)
class Kind:
    """A kind of answer, and how it is asked for."""

    name: str
    encoding: str
    status: int


KINDS = Kind("200 as it is", "identity", 200), Kind("200 gzip", "gzip", 200), Kind("304", "gzip", 304)


def run() -> None:
    """Print answers in a second by kind of answer, and what the first build of the feed takes."""
    report.heading(
        f"The feed with {EVENTS:,} events: {CLIENTS} clients, gunicorn with 2 workers of 8 threads",
        "The clients share the cores with the server. Base: a bare Flask view of the same bytes, served alike.",
    )
    rows: list[tuple[object, ...]] = []
    notes: list[str] = []
    for backend in stage.BACKENDS:
        with stage.database(backend) as (app, url):
            notes.append(f"{backend}: {_builds(app)}")
            with web(url) as address, _bare(url, _body(address)) as bare:
                for kind in KINDS:
                    rounds = [(_measure(address, kind), _measure(bare, kind)) for _ in range(ROUNDS)]
                    ours, base = sorted(rounds, key=_ratio)[ROUNDS // 2]
                    ratios = " ".join(f"{_ratio(one):.0%}" for one in rounds)
                    rows.append((f"{backend}, {kind.name}", *report.figures(ours), base.per_second, ratios))
                    for measured, _ in rounds:
                        notes += report.errors(f"{backend}, {kind.name}", measured)
    report.table(("", "answers/s", "p50 ms", "p95 ms", "errors", "clients’ CPU", "bare/s", "of bare"), rows)
    report.lines(notes)


def _ratio(pair: tuple[Measured, Measured]) -> float:
    ours, base = pair
    return ours.per_second / base.per_second


@contextmanager
def _bare(url: str, body: bytes) -> Iterator[str]:
    """Serve these bytes by the bare application; gives its address."""
    with tempfile.TemporaryDirectory(prefix="bench-") as folder:
        file = Path(folder) / "feed.ics"
        file.write_bytes(body)
        with web(url, app="tests.bench.bare:app", BENCH_FEED=str(file)) as address:
            yield address


def _builds(app: Flask) -> str:
    """Fill the database; return how long building the feed takes, and then an answer, in a warm process."""
    with app.app_context():
        stage.furnish()
        stage.add_events(range(EVENTS))
    app.test_client().get(OF_NOTHING)
    first = _milliseconds(app)
    with app.app_context():
        db.session.query(Event).first().title = "A new title"
        db.session.commit()
    again = _milliseconds(app)
    sleep(UNTIL_KEPT)
    client = app.test_client()
    unchanged = {"If-None-Match": client.get(PATH).headers["ETag"]}
    took, burnt = alone(lambda: client.get(PATH, headers=unchanged))
    return (
        f"the first build takes {first:.0f} ms of the processor, another after one event changed {again:.0f} ms; then "
        f"one 304 alone, in process, takes {took:.1f} ms ({burnt:.1f} ms of the processor, the client's part included)"
    )


def _milliseconds(app: Flask) -> float:
    client = app.test_client()
    started = process_time()
    client.get(PATH)
    return 1000 * (process_time() - started)


def _body(address: str) -> bytes:
    with closing(Connection(address)) as connection:
        return connection.ask("GET", PATH, {"Accept-Encoding": "identity"}).body


def _measure(address: str, kind: Kind) -> Measured:
    clients = [Subscriber(address, kind) for _ in range(CLIENTS)]
    measured = measure(clients, seconds=SECONDS)
    for client in clients:
        client.close()
    return measured


class Subscriber(Connection):
    """Somebody who asks for the feed again and again."""

    def __init__(self, address: str, kind: Kind) -> None:
        super().__init__(address)
        self.kind, self.headers = kind, {"Accept-Encoding": kind.encoding}
        if kind.status == 304:
            self.headers["If-None-Match"] = self.ask("GET", PATH, self.headers).headers["ETag"]

    def __call__(self) -> str:
        """Ask once; return what went wrong, or nothing where the answer was what it should be."""
        answer = self.ask("GET", PATH, self.headers)
        right = answer.status == self.kind.status and bool(answer.body) == (self.kind.status == 200)
        return "" if right else f"answer {answer.status} of {len(answer.body)} bytes"
