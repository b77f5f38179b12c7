"""Feeds as files: from entries to bytes, and from bytes to an answer."""

from collections.abc import Iterable
from datetime import timedelta

from flask import Response, make_response, request

from booking.calendar import ical
from booking.calendar.ical import CalendarEntry
from booking.calendar.palette import Colour
from booking.core.clock import now
from booking.feeds.cache import Feed, blocks, encoding_for

FOR_EVERYBODY = "public, max-age=300"
FOR_ONE = "private, max-age=300"
ASKED_AGAIN = "private, no-cache"
SECOND = timedelta(seconds=1)


def written(
    name: str,
    entries: Iterable[CalendarEntry],
    *,
    page: str,
    source: str = "",
    description: str = "",
    colour: Colour | None = None,
) -> bytes:
    """Return a feed of these entries (see `ical.feed`); each that was written before costs nothing."""
    finished = [blocks.get(entry, lambda entry=entry: ical.vevent(entry)) for entry in entries]  # type: ignore[misc]
    return ical.feed(name, finished, source=source, page=page, description=description or name, colour=colour)


def is_known(etag: str) -> bool:
    """Tell whether the client has the very answer that it would get to a feed with this ETag."""
    encoding = encoding_for(request.headers.get("Accept-Encoding", ""))
    return request.if_none_match.contains_weak(_tag(etag, encoding))


def _tag(etag: str, encoding: str) -> str:
    """Return the ETag of a feed in an encoding: other bytes, another name."""
    return f"{etag}-{encoding}" if encoding else etag


def answer_with(feed: Feed, caching: str) -> Response:
    """Answer with the feed or 304. Already compressed here, so that the ETag stays what it is; no cookie."""
    encoding = encoding_for(request.headers.get("Accept-Encoding", ""))
    answer = make_response(feed.encoded(encoding))
    answer.headers["Content-Type"] = "text/calendar; charset=utf-8"
    answer.headers["Cache-Control"] = caching
    answer.headers["Vary"] = "Accept-Encoding"
    if encoding:
        answer.headers["Content-Encoding"] = encoding
    answer.set_etag(_tag(feed.etag, encoding))
    if feed.changed_at:  # to set None would be to say: just now
        answer.last_modified = feed.changed_at
    answer.make_conditional(request)
    # Dates count whole seconds: what is given out within the second of a change must not pass for what comes after it.
    if feed.changed_at and now() - feed.changed_at <= SECOND:
        answer.last_modified = feed.changed_at - SECOND
    return answer
