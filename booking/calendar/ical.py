"""iCalendar: RFC 5545, 5546 (invitations), 7986 (names, colours, refresh). Pure: values in, bytes out.

Each VEVENT is built by the icalendar library, once; feeds join the finished blocks. DTSTAMP in feeds is the
last change, so that a feed is the same bytes until something changes (RFC 5545, 3.8.7.2 allows it where there
is no METHOD).
"""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from functools import lru_cache

from icalendar import Alarm, Calendar, vCalAddress, vCategory, vDuration, vGeo, vText
from icalendar import Event as VEvent
from markupsafe import Markup

from booking.calendar.markup import as_html, as_text
from booking.calendar.palette import Colour
from booking.calendar.position import Position, say_degrees
from booking.core.clock import LONDON, on_the_wall, wall
from booking.core.text import one_line, paragraphs

PRODID = "-//SEND calendar and bookings//EN"
# A deadline is shown as the quarter of an hour before it: calendars draw nothing, or a whole hour, for no duration.
BEFORE_A_DEADLINE = timedelta(minutes=15)
WITHOUT_AN_END = timedelta(hours=1)
# An alarm for what has no time rings at nine, not at midnight.
MORNING = timedelta(hours=9)
_SAYS_IT_CLOSES = ("clos", "deadline", "due")

# One zone, one rule each way, for ever. The library's own generator writes the spring onset wrongly, and
# a VTIMEZONE with dates in a list shows every summer event an hour late in Thunderbird.
VTIMEZONE = "\r\n".join(
    (
        "BEGIN:VTIMEZONE",
        "TZID:Europe/London",
        "X-LIC-LOCATION:Europe/London",
        "BEGIN:DAYLIGHT",
        "TZNAME:BST",
        "TZOFFSETFROM:+0000",
        "TZOFFSETTO:+0100",
        "DTSTART:19960331T010000",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "END:DAYLIGHT",
        "BEGIN:STANDARD",
        "TZNAME:GMT",
        "TZOFFSETFROM:+0100",
        "TZOFFSETTO:+0000",
        "DTSTART:19961027T020000",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
        "END:STANDARD",
        "END:VTIMEZONE",
        "",
    )
).encode()


class _Text(vText):
    """A text, escaped as RFC 5545, 3.3.11 says: the library takes a backslash before an N for a line break."""

    def to_ical(self) -> bytes:
        """Return the text with backslashes, semicolons, commas and line breaks escaped."""
        escaped = self.replace("\\", "\\\\").replace(";", "\\;").replace(",", "\\,").replace("\n", "\\n")
        return escaped.encode()


class _Geo(vGeo):
    """A position in digits (RFC 5545, 3.8.1.6): the library writes an exponent for a place at Greenwich."""

    def to_ical(self) -> str:
        """Return how far north, and how far east."""
        return f"{say_degrees(self.latitude)};{say_degrees(self.longitude)}"


@dataclass(frozen=True, slots=True)
class Description:
    """What stands below a title: Markdown as it was typed, and plain paragraphs round it; written out when asked for.

    `links` are words and the address that follows them.
    """

    markdown: str = ""
    before: tuple[str, ...] = ()
    links: tuple[tuple[str, str], ...] = ()

    @property
    def text(self) -> str:
        """All of it in plain words."""
        links = (f"{words} {address}" for words, address in self.links)
        return "\n\n".join(part for part in (*self.before, as_text(self.markdown), *links) if part)

    @property
    def html(self) -> str:
        """All of it as HTML; empty where that shows nothing that plain words do not."""
        if as_text(self.markdown) == self.markdown.strip():
            return ""
        before = [Markup("<p>{}</p>").format(part) for part in self.before]
        links = [Markup('<p>{} <a href="{}">{}</a></p>').format(words, to, to) for words, to in self.links]
        return f"<html><body>{Markup('').join((*before, as_html(self.markdown), *links))}</body></html>"


@dataclass(frozen=True, slots=True)
class CalendarEntry:
    """What a calendar shows of one event. Days and times are those on the wall in Britain.

    `alarms` are how long before; `is_draft` is for the organisers' own calendars.
    """

    uid: str
    sequence: int
    title: str
    day: date
    starts: time | None
    ends: time | None
    last_day: date | None
    is_deadline: bool
    blocks_time: bool
    status: str  # CONFIRMED, TENTATIVE or CANCELLED
    description: Description
    location: str
    url: str
    categories: tuple[str, ...]
    changed_at: datetime
    colour: str = ""  # a name of CSS
    alarms: tuple[timedelta, ...] = ()
    is_draft: bool = False
    position: Position | None = None
    # The UID of what a closing date is for.
    parent_uid: str = ""
    # That this stands in somebody's calendar may tell something about their child.
    is_private: bool = False


@dataclass(frozen=True, slots=True)
class Attendance:
    """The two ends of an invitation (RFC 6047): from whom, equal to the mail's From, and to whom."""

    organiser_email: str
    organiser_name: str
    attendee_email: str
    attendee_name: str


def vevent(entry: CalendarEntry) -> bytes:
    """Return the VEVENT of a feed: CRLF, folded at 75 octets, the same bytes until the entry changes."""
    event = _event(entry, entry.status)
    event.add("dtstamp", entry.changed_at)
    event.add("sequence", entry.sequence)
    if entry.status != "CANCELLED":
        _add_alarms(event, entry)
    return event.to_ical()


def feed(
    name: str,
    blocks: Iterable[bytes],
    *,
    source: str,
    description: str,
    page: str = "",
    colour: Colour | None = None,
    refresh_hours: int = 4,
) -> bytes:
    """Return a whole calendar of finished VEVENT blocks: no METHOD, one zone, a name and how often to look again.

    `source` is its own address; empty where that is a secret: files of a calendar are passed on. `page` shows
    the same to people.
    """
    head = _head()
    refresh = timedelta(hours=refresh_hours)
    for key, value in (
        ("name", name),
        ("x-wr-calname", name),
        ("description", description),
        ("x-wr-caldesc", description),
    ):
        head.add(key, _Text(one_line(value)))
    head.add("x-wr-timezone", vText("Europe/London"))
    head.add("refresh-interval", refresh, parameters={"VALUE": "DURATION"})
    head.add("x-published-ttl", vDuration(refresh))
    if page:
        head.add("url", page)
    if source:
        head.add("source", source, parameters={"VALUE": "URI"})
    if colour:
        head.add("color", colour.name)
        head.add("x-apple-calendar-color", colour.hexadecimal)
    return _join(head, blocks)


def single(entry: CalendarEntry) -> bytes:
    """Return one event as a file to open: without METHOD, so that no client takes it for an invitation."""
    return _join(_head(), [vevent(entry)])


def invitation(entry: CalendarEntry, attendance: Attendance, *, method: str, sequence: int, stamp: datetime) -> bytes:
    """Return an iTIP message (RFC 5546) for one attendee: METHOD REQUEST, or CANCEL with STATUS:CANCELLED.

    `stamp` is when this message was made; `sequence` is counted per recipient and UID.
    """
    own = VEvent()
    own.add("dtstamp", stamp)
    own.add("sequence", sequence)
    _add_attendance(own, attendance)
    return _for_all_invited(entry, method) + own.to_ical().removeprefix(b"BEGIN:VEVENT\r\n") + b"END:VCALENDAR\r\n"


@lru_cache(maxsize=128)
def _for_all_invited(entry: CalendarEntry, method: str) -> bytes:
    """Return an invitation up to what is each attendee's own: built once for everybody who books an event."""
    head = _head()
    head.add("method", method)
    event = _event(entry, "CANCELLED" if method == "CANCEL" else entry.status)
    return _join(head, [event.to_ical()]).removesuffix(b"END:VEVENT\r\nEND:VCALENDAR\r\n")


def _head() -> Calendar:
    head = Calendar()
    head.add("prodid", PRODID)
    head.add("version", "2.0")
    head.add("calscale", "GREGORIAN")
    return head


def _join(head: Calendar, blocks: Iterable[bytes]) -> bytes:
    end = b"END:VCALENDAR\r\n"
    return b"".join((head.to_ical().removesuffix(end), VTIMEZONE, *blocks, end))


def _event(entry: CalendarEntry, status: str) -> VEvent:
    """Return what of an entry is the same for everybody: without DTSTAMP, SEQUENCE, and who is invited.

    Who gave their place back gets STATUS:CANCELLED, since clients remove nothing else, but the event itself is on.
    """
    event = VEvent()
    event.add("uid", entry.uid)
    event.add("last-modified", entry.changed_at)
    event.add("summary", _Text(_summary(entry, cancelled=entry.status == "CANCELLED")))
    _add_times(event, entry)
    event.add("status", status)
    event.add("transp", "OPAQUE" if entry.blocks_time and status != "CANCELLED" else "TRANSPARENT")
    event.add("class", "PRIVATE" if entry.is_private else "PUBLIC")
    _add_description(event, entry.description)
    if entry.location:
        event.add("location", _Text(one_line(entry.location)))
    if entry.position:
        event.add("geo", _Geo(entry.position))
    if entry.categories:
        categories = vCategory([])
        categories.cats = [_Text(one_line(name)) for name in entry.categories]
        event.add("categories", categories)
    event.add("url", entry.url)
    if entry.parent_uid:
        event.add("related-to", _Text(entry.parent_uid), parameters={"RELTYPE": "PARENT"})
    if entry.colour:
        event.add("color", entry.colour)
    return event


def _summary(entry: CalendarEntry, *, cancelled: bool) -> str:
    title = one_line(entry.title)
    if entry.is_deadline and not any(word in title.lower() for word in _SAYS_IT_CLOSES):
        title = f"Closes: {title}"
    if entry.is_draft:
        title = f"DRAFT: {title}"
    return f"CANCELLED: {title}" if cancelled else title


def _add_description(event: VEvent, description: Description) -> None:
    """Add DESCRIPTION, and HTML beside it where that shows more: X-ALT-DESC is what Outlook reads."""
    if text := paragraphs(description.text):
        event.add("description", _Text(text))
    if html := description.html:
        event.add("x-alt-desc", _Text(one_line(html)), parameters={"FMTTYPE": "text/html"})


def _add_alarms(event: VEvent, entry: CalendarEntry) -> None:
    for before in entry.alarms:
        alarm = Alarm()
        alarm.add("action", "DISPLAY")
        alarm.add("description", _Text(_summary(entry, cancelled=False)))
        alarm.add("trigger", -before if entry.starts else MORNING - before)
        event.add_component(alarm)


def _add_times(event: VEvent, entry: CalendarEntry) -> None:
    """Add DTSTART and DTEND: with a zone where there is a time, else as dates with an exclusive end.

    Of several days without an end the last one counts whole. What would end before it starts, since the clocks are
    put forward in between, has its length on the wall.
    """
    last = entry.last_day or entry.day
    if entry.starts is None:
        event.add("dtstart", entry.day)
        event.add("dtend", last + timedelta(days=1))
        return
    start = on_the_wall(entry.day, entry.starts)
    if entry.is_deadline:
        start, end = start - BEFORE_A_DEADLINE, start
    elif entry.ends:
        end = on_the_wall(last, entry.ends)
        if end <= start:
            end = start + (datetime.combine(last, entry.ends) - datetime.combine(entry.day, entry.starts))
    elif entry.last_day:
        end = on_the_wall(last + timedelta(days=1), time(0, 0))
    else:
        end = start + WITHOUT_AN_END
    event.add("dtstart", _zoned(start))
    event.add("dtend", _zoned(end))


def _zoned(instant: datetime) -> datetime:
    """Return an instant with the zone; in UTC where the wall shows its time for the second time that night."""
    there = wall(instant)
    return instant.astimezone(UTC) if there.fold else there.replace(tzinfo=LONDON)


def _add_attendance(event: VEvent, attendance: Attendance) -> None:
    organiser = vCalAddress(f"mailto:{attendance.organiser_email}")
    organiser.params["cn"] = vText(_common_name(attendance.organiser_name))
    event["organizer"] = organiser
    attendee = vCalAddress(f"mailto:{attendance.attendee_email}")
    attendee.params["cn"] = vText(_common_name(attendance.attendee_name))
    for name, value in (
        ("cutype", "INDIVIDUAL"),
        ("role", "REQ-PARTICIPANT"),
        ("partstat", "ACCEPTED"),
        ("rsvp", "FALSE"),
    ):
        attendee.params[name] = vText(value)
    event.add("attendee", attendee, encode=False)


def _common_name(name: str) -> str:
    """Return a name as a parameter can carry it: a backslash there escapes nothing, but parsers take it for that."""
    return one_line(name).replace("\\", "/")
