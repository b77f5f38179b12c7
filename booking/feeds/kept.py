"""Public feeds given again without asking the application: a cache in front of it that is never behind.

Subscribers' calendars ask for the same few addresses again and again, for years. What was answered once is given
again, headers and all, while the area's `calendar_version` is what it was before that answer was made: one statement
on a connection of its own, so that a change made by any process is seen at the very next request. Whatever is not
as it should be goes to the application.
"""

import re
from collections.abc import Iterable
from contextlib import closing
from dataclasses import dataclass
from datetime import datetime, timedelta
from email.utils import parsedate_to_datetime
from typing import TYPE_CHECKING, Any

import sqlalchemy as sa
from flask import Flask
from sqlalchemy import event
from werkzeug.datastructures import Headers
from werkzeug.http import is_resource_modified, remove_entity_headers
from werkzeug.test import run_wsgi_app

from booking.core.clock import now, today
from booking.core.db import db
from booking.feeds.cache import Store, encoding_for

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

MOST_BYTES = 16 * 1024 * 1024
HEADERS_WEIGH = 4096
CONNECTIONS = 8  # as many as the threads of a worker
WAITS = 2  # seconds for one of them; then the application answers
# Feeds behind a token have one part more: they are for one person, and change with bookings too.
PUBLIC_FEED = re.compile(r"/feeds/[^/]+\.ics")
VERSION = "SELECT id, calendar_version FROM areas ORDER BY id LIMIT 2"
UNTIL_DATES_TELL = timedelta(seconds=2)
CONDITIONS = ("HTTP_IF_NONE_MATCH", "HTTP_IF_MODIFIED_SINCE")
# Nobody who reads a calendar asks so; the application answers 412 where it has another.
NOT_OURS = "HTTP_IF_MATCH"


@dataclass(frozen=True, slots=True)
class Answer:
    """A whole answer: with status 200, and what stands in its place where the client has it already."""

    body: bytes
    headers: list[tuple[str, str]]
    headers_unchanged: list[tuple[str, str]]
    etag: str
    changed_at: datetime
    version: object

    @classmethod
    def of(cls, body: bytes, headers: Headers, version: object) -> "Answer":
        """Return the answer that the application gave while the calendar had this version.

        The server says when it gives it.
        """
        headers.pop("Date", None)
        unchanged = headers.to_wsgi_list()
        remove_entity_headers(unchanged)
        changed_at = parsedate_to_datetime(headers["Last-Modified"])
        return cls(body, headers.to_wsgi_list(), unchanged, headers["ETag"], changed_at, version)

    @property
    def weight(self) -> int:
        """How many bytes keeping it takes, about."""
        return len(self.body) + HEADERS_WEIGH

    def give(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a request with it: 304 where the client has it, no body where none is asked for."""
        if not self._is_news_to(environ):
            start_response("304 NOT MODIFIED", self.headers_unchanged)
            return ()
        start_response("200 OK", self.headers)
        return () if environ["REQUEST_METHOD"] == "HEAD" else (self.body,)

    def _is_news_to(self, environ: "WSGIEnvironment") -> bool:
        if environ.get("HTTP_IF_NONE_MATCH") == self.etag:  # what nearly all send
            return False
        return is_resource_modified(environ, etag=self.etag, last_modified=self.changed_at)


class KeptAnswers:
    """WSGI middleware: gives public feeds again while the calendar has not changed."""

    def __init__(self, app: Flask) -> None:
        self.application: WSGIApplication = app.wsgi_app
        self.answers: Store[Answer] = Store(MOST_BYTES, weigh=lambda answer: answer.weight)
        app.extensions["kept answers"] = self.answers
        with app.app_context():
            self._engine = _engine_beside(db.engine, app.config["SQLALCHEMY_ENGINE_OPTIONS"].get("connect_args", {}))

    def __call__(self, environ: "WSGIEnvironment", start_response: "StartResponse") -> Iterable[bytes]:
        """Answer a public feed from what is kept, or keep what the application answers."""
        is_ours = environ["REQUEST_METHOD"] in {"GET", "HEAD"} and PUBLIC_FEED.fullmatch(environ["PATH_INFO"])
        if not is_ours or NOT_OURS in environ:
            return self.application(environ, start_response)
        version = self._version()
        if version is None:
            return self.application(environ, start_response)
        encoding = encoding_for(environ.get("HTTP_ACCEPT_ENCODING", ""))
        key = (environ["PATH_INFO"], environ.get("QUERY_STRING", ""), encoding, *_ways_here(environ))
        kept = self.answers.find(key)
        if kept is not None and kept.version == version:
            return kept.give(environ, start_response)
        return self._ask(environ, start_response, key, encoding, version)

    def _ask(
        self,
        environ: "WSGIEnvironment",
        start_response: "StartResponse",
        key: tuple[object, ...],
        encoding: str,
        version: object,
    ) -> Iterable[bytes]:
        """Let the application make the whole answer, whatever the client has of it already."""
        asked = {name: value for name, value in environ.items() if name not in CONDITIONS}
        asked |= {"REQUEST_METHOD": "GET", "HTTP_ACCEPT_ENCODING": encoding or "identity"}
        chunks, status, headers = run_wsgi_app(self.application, asked, buffered=True)
        body = b"".join(chunks)
        if status != "200 OK" or "public" not in headers.get("Cache-Control", ""):
            start_response(status, headers.to_wsgi_list())
            return () if environ["REQUEST_METHOD"] == "HEAD" else (body,)
        answer = Answer.of(body, headers, version)
        # Right after a change the answer's date does not tell it from what was before: see `files.answer_with`.
        if now() - answer.changed_at > UNTIL_DATES_TELL:
            self.answers.put(key, answer)
        return answer.give(environ, start_response)

    def _version(self) -> object:
        """Return the area, its calendar's version, and the day: feeds begin with a school year.

        None where they cannot be read, or there is not one area: the application knows what to say of that.
        """
        try:
            with closing(self._engine.raw_connection()) as connection:
                try:
                    rows = connection.driver_connection.execute(VERSION).fetchall()  # type: ignore[union-attr]
                except Exception:
                    connection.invalidate()
                    raise
        except (sa.exc.SQLAlchemyError, self._engine.dialect.loaded_dbapi.Error):
            return None
        return (*rows[0], today()) if len(rows) == 1 else None


def _ways_here(environ: "WSGIEnvironment") -> tuple[object, ...]:
    """Return what the headers of an answer depend on besides: whether HTTPS is asked for and promised."""
    return environ["wsgi.url_scheme"], environ.get("HTTP_X_FORWARDED_PROTO") == "https"


def _engine_beside(engine: sa.Engine, connect_args: dict[str, Any]) -> sa.Engine:
    """Return an engine for single reads on the same database: neither BEGIN nor ROLLBACK nor ping round them."""
    # A database in memory has a pool of its own kind, without bounds.
    bounds = {"max_overflow": 0, "pool_timeout": WAITS} if isinstance(engine.pool, sa.QueuePool) else {}
    own = sa.create_engine(
        engine.url,
        isolation_level="AUTOCOMMIT",
        pool_reset_on_return=None,
        pool_size=CONNECTIONS,
        connect_args=connect_args,
        **bounds,
        hide_parameters=True,
    )

    def follow(_engine: Any) -> None:
        own.dispose()

    event.listen(engine, "engine_disposed", follow)
    return own
