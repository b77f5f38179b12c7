"""iCalendar to the letter: folding, escaping, days, times, both changes of the clocks."""

import re
from dataclasses import replace
from datetime import UTC, date, datetime, time, timedelta
from pathlib import Path
from zoneinfo import ZoneInfo

import icalendar
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from booking.calendar import ical
from booking.calendar.ical import Attendance, CalendarEntry, Description
from booking.calendar.palette import PALETTE
from booking.core.text import one_line, paragraphs

LONDON = ZoneInfo("Europe/London")
STYLES = Path(__file__).parents[2] / "booking" / "static" / "app.css"
STAMP = datetime(2026, 9, 1, 10, 0, tzinfo=UTC)
ENTRY = CalendarEntry(
    uid="uid-1@x.example",
    sequence=2,
    title="SENCo forum",
    day=date(2027, 1, 14),
    starts=time(9, 30),
    ends=time(10, 30),
    last_day=None,
    is_deadline=False,
    blocks_time=True,
    status="CONFIRMED",
    description=Description("Bring coffee"),
    location="Oak Suite",
    url="https://x.example/events/1-senco-forum/",
    categories=("SENCo forum",),
    changed_at=STAMP,
)
PRIYA = Attendance("team@x.example", "Vale & Marsh", "priya@x.example", "Priya Nair")
# Text with what breaks calendars more often than chance would have it.
TEXT = st.one_of(st.text(), st.text(alphabet="\\,;:\"'nN\r\n\t\x00\x85\u2028 BEGIN:VALARM^🎉é"))


def entry(**values) -> CalendarEntry:
    return replace(ENTRY, **values)


def read(entry: CalendarEntry) -> icalendar.Event:
    """The event as a parser that we did not write sees it."""
    (event,) = icalendar.Calendar.from_ical(ical.single(entry)).walk("VEVENT")
    return event


def lines(block: bytes) -> list[str]:
    """The unfolded lines of a block (RFC 5545, 3.1)."""
    return re.sub(rb"\r\n[ \t]", b"", block).decode().split("\r\n")[:-1]


def times(entry: CalendarEntry) -> tuple[str, str]:
    found = {line.split(":")[0].split(";")[0]: line for line in lines(ical.vevent(entry)) if line.startswith("DT")}
    return found["DTSTART"], found["DTEND"]


def test_a_closing_date_names_what_it_is_for_as_its_parent() -> None:
    (line,) = [one for one in lines(ical.vevent(entry(parent_uid="uid-2@x.example"))) if one.startswith("RELATED-TO")]
    assert line == "RELATED-TO;RELTYPE=PARENT:uid-2@x.example"
    assert str(read(entry(parent_uid="uid-2@x.example"))["RELATED-TO"]) == "uid-2@x.example"
    assert b"RELATED-TO" not in ical.vevent(ENTRY)


@pytest.mark.parametrize(
    ("position", "line"),
    [((51.752, -0.336), ["GEO:51.752;-0.336"]), ((51.0, 0.00001), ["GEO:51.0;0.00001"]), (None, [])],
)
def test_a_place_on_the_map_is_written_in_digits(position: tuple[float, float] | None, line: list[str]) -> None:
    assert [one for one in lines(ical.vevent(entry(position=position))) if one.startswith("GEO")] == line
    found = read(entry(position=position)).get("GEO")
    assert (found and (found.latitude, found.longitude)) == position


def test_an_event_is_written_to_the_letter() -> None:
    assert lines(ical.vevent(ENTRY)) == [
        "BEGIN:VEVENT",
        "SUMMARY:SENCo forum",
        "DTSTART;TZID=Europe/London:20270114T093000",
        "DTEND;TZID=Europe/London:20270114T103000",
        "DTSTAMP:20260901T100000Z",
        "UID:uid-1@x.example",
        "SEQUENCE:2",
        "CATEGORIES:SENCo forum",
        "CLASS:PUBLIC",
        "DESCRIPTION:Bring coffee",
        "LAST-MODIFIED:20260901T100000Z",
        "LOCATION:Oak Suite",
        "STATUS:CONFIRMED",
        "TRANSP:OPAQUE",
        "URL:https://x.example/events/1-senco-forum/",
        "END:VEVENT",
    ]
    assert ical.vevent(ENTRY) == ical.vevent(replace(ENTRY))


@pytest.mark.parametrize(
    ("values", "start", "end"),
    [
        # With a time: on the wall, with its zone.
        ({}, "DTSTART;TZID=Europe/London:20270114T093000", "DTEND;TZID=Europe/London:20270114T103000"),
        ({"ends": None}, "DTSTART;TZID=Europe/London:20270114T093000", "DTEND;TZID=Europe/London:20270114T103000"),
        (
            {"starts": time(23, 30), "ends": None},
            "DTSTART;TZID=Europe/London:20270114T233000",
            "DTEND;TZID=Europe/London:20270115T003000",
        ),
        (
            {"last_day": date(2027, 1, 15), "ends": time(9, 0)},
            "DTSTART;TZID=Europe/London:20270114T093000",
            "DTEND;TZID=Europe/London:20270115T090000",
        ),
        (
            {"last_day": date(2027, 1, 15), "ends": None},  # the last day whole
            "DTSTART;TZID=Europe/London:20270114T093000",
            "DTEND;TZID=Europe/London:20270116T000000",
        ),
        # Without: dates, and the end is the day after (RFC 5545, 3.6.1).
        ({"starts": None, "ends": None}, "DTSTART;VALUE=DATE:20270114", "DTEND;VALUE=DATE:20270115"),
        (
            {"starts": None, "ends": None, "last_day": date(2027, 1, 31)},
            "DTSTART;VALUE=DATE:20270114",
            "DTEND;VALUE=DATE:20270201",
        ),
        (
            {"starts": None, "ends": None, "day": date(2028, 2, 28), "last_day": date(2028, 2, 29)},
            "DTSTART;VALUE=DATE:20280228",
            "DTEND;VALUE=DATE:20280301",
        ),
        # A closing date: the quarter of an hour before, or its day.
        (
            {"is_deadline": True, "starts": time(12, 0), "ends": None},
            "DTSTART;TZID=Europe/London:20270114T114500",
            "DTEND;TZID=Europe/London:20270114T120000",
        ),
        (
            {"is_deadline": True, "starts": time(0, 0), "ends": None},
            "DTSTART;TZID=Europe/London:20270113T234500",
            "DTEND;TZID=Europe/London:20270114T000000",
        ),
        (
            {"is_deadline": True, "starts": None, "ends": None},
            "DTSTART;VALUE=DATE:20270114",
            "DTEND;VALUE=DATE:20270115",
        ),
    ],
)
def test_days_and_times(values: dict, start: str, end: str) -> None:
    assert times(entry(**values)) == (start, end)


@pytest.mark.parametrize(
    ("values", "minutes"),
    [
        ({"day": date(2027, 3, 28), "starts": time(1, 45), "ends": time(2, 15)}, 30),
        ({"day": date(2027, 3, 28), "starts": time(1), "ends": time(2)}, 60),
        ({"day": date(2027, 3, 28), "starts": time(0, 30), "ends": time(3)}, 90),
        ({"day": date(2026, 10, 25), "starts": time(1, 30), "ends": None}, 60),
        ({"day": date(2026, 10, 25), "starts": time(0, 30), "ends": time(3)}, 210),
        ({"day": date(2026, 10, 25), "starts": time(2), "ends": None, "is_deadline": True}, 15),
    ],
)
def test_nothing_ends_before_it_starts_while_the_clocks_change(values: dict, minutes: int) -> None:
    event = read(entry(**values))
    assert event["DTEND"].dt.astimezone(UTC) - event["DTSTART"].dt.astimezone(UTC) == timedelta(minutes=minutes)


@pytest.mark.parametrize("words", ["END:VCALENDAR", "Vale END:VCALENDAR\r\n", "BEGIN:VEVENT", "END:VEVENT"])
def test_a_name_or_an_address_does_not_end_the_calendar(words: str) -> None:
    address = f"https://x.example/feeds/calendar.ics?q={words.strip()}"
    body = ical.feed(words, [ical.vevent(ENTRY)], source=address, page=address, description=words)
    found = icalendar.Calendar.from_ical(body)
    assert (str(found["X-WR-CALNAME"]), str(found["URL"])) == (one_line(words), address)
    assert [len(found.walk(name)) for name in ("VCALENDAR", "VTIMEZONE", "VEVENT")] == [1, 1, 1]


def test_an_entry_that_tells_something_of_whose_calendar_it_is_in_is_private() -> None:
    assert [str(read(entry(is_private=private))["CLASS"]) for private in (True, False)] == ["PRIVATE", "PUBLIC"]


@pytest.mark.parametrize(
    ("day", "at", "instant"),
    [
        # Half past nine stays half past nine: before, on and after the Sunday on which the clocks change.
        (date(2027, 3, 27), time(9, 30), datetime(2027, 3, 27, 9, 30, tzinfo=UTC)),
        (date(2027, 3, 28), time(0, 30), datetime(2027, 3, 28, 0, 30, tzinfo=UTC)),
        (date(2027, 3, 28), time(9, 30), datetime(2027, 3, 28, 8, 30, tzinfo=UTC)),
        (date(2027, 10, 30), time(9, 30), datetime(2027, 10, 30, 8, 30, tzinfo=UTC)),
        (date(2027, 10, 31), time(0, 30), datetime(2027, 10, 30, 23, 30, tzinfo=UTC)),
        (date(2027, 10, 31), time(1, 30), datetime(2027, 10, 31, 0, 30, tzinfo=UTC)),  # comes twice: the first
        (date(2027, 10, 31), time(9, 30), datetime(2027, 10, 31, 9, 30, tzinfo=UTC)),
    ],
)
def test_an_event_keeps_its_time_on_the_wall_when_the_clocks_change(day: date, at: time, instant: datetime) -> None:
    ends = at.replace(hour=at.hour + 2)
    event = read(entry(day=day, starts=at, ends=ends))
    assert event["DTSTART"].dt.astimezone(UTC) == instant
    assert [event[name].dt.replace(tzinfo=None).time() for name in ("DTSTART", "DTEND")] == [at, ends]


def test_a_night_over_which_the_clocks_change_ends_at_its_time_on_the_wall() -> None:
    for day, hours in ((date(2027, 3, 27), 23), (date(2027, 10, 30), 25)):
        event = read(entry(day=day, starts=time(9, 30), last_day=day + timedelta(days=1), ends=time(9, 30)))
        length = event["DTEND"].dt.astimezone(UTC) - event["DTSTART"].dt.astimezone(UTC)
        assert length == timedelta(hours=hours)


def test_the_zone_that_is_sent_along_says_what_the_worlds_zone_says() -> None:
    """A client that believes our VTIMEZONE comes to the same instants, around each change for a century."""
    zone = ical.VTIMEZONE.decode().split("\r\n")
    assert [line for line in zone if line.startswith(("DTSTART", "RRULE"))] == [
        "DTSTART:19960331T010000",
        "RRULE:FREQ=YEARLY;BYMONTH=3;BYDAY=-1SU",
        "DTSTART:19961027T020000",
        "RRULE:FREQ=YEARLY;BYMONTH=10;BYDAY=-1SU",
    ]
    (parsed,) = icalendar.Calendar.from_ical(ical.single(ENTRY)).walk("VTIMEZONE")
    ours = parsed.to_tz(lookup_tzid=False)
    for year in (1996, 2026, 2027, 2037):
        for month, change in ((3, 28), (10, 28)):
            for days in range(-6, 5):
                noon = datetime(year, month, change, 12, 0) + timedelta(days=days)
                assert noon.replace(tzinfo=ours).utcoffset() == noon.replace(tzinfo=LONDON).utcoffset()


@pytest.mark.parametrize(
    ("values", "summary"),
    [
        ({"title": "Forum"}, "Forum"),
        ({"title": "Panel applications", "is_deadline": True}, "Closes: Panel applications"),
        ({"title": "Applications CLOSE", "is_deadline": True}, "Applications CLOSE"),
        ({"title": "Deadline for returns", "is_deadline": True}, "Deadline for returns"),
        ({"title": "Return due", "is_deadline": True}, "Return due"),
        ({"title": "Closing date", "is_deadline": False}, "Closing date"),
        ({"title": "Forum", "status": "CANCELLED"}, "CANCELLED: Forum"),
        ({"title": "Return", "is_deadline": True, "status": "CANCELLED"}, "CANCELLED: Closes: Return"),
    ],
)
def test_the_summary_says_what_is_due_and_what_is_off(values: dict, summary: str) -> None:
    assert str(read(entry(**values))["SUMMARY"]) == summary


@pytest.mark.parametrize(
    ("values", "status", "transparency"),
    [
        ({}, "CONFIRMED", "OPAQUE"),
        ({"status": "TENTATIVE"}, "TENTATIVE", "OPAQUE"),
        ({"blocks_time": False}, "CONFIRMED", "TRANSPARENT"),
        ({"status": "CANCELLED"}, "CANCELLED", "TRANSPARENT"),
    ],
)
def test_what_does_not_take_time_does_not_block_it(values: dict, status: str, transparency: str) -> None:
    event = read(entry(**values))
    assert (str(event["STATUS"]), str(event["TRANSP"])) == (status, transparency)


def test_what_is_empty_is_left_out() -> None:
    names = {
        line.split(":")[0].split(";")[0] for line in lines(ical.vevent(entry(description=Description(), location="")))
    }
    assert names.isdisjoint({"DESCRIPTION", "LOCATION", "ORGANIZER", "ATTENDEE", "METHOD"})
    assert "CATEGORIES" not in {line.split(":")[0] for line in lines(ical.vevent(entry(categories=())))}


@pytest.mark.parametrize(
    ("text", "escaped"),
    [
        ("a, b; c", "a\\, b\\; c"),
        ("back\\slash", "back\\\\slash"),
        ("C:\\New\\new", "C:\\\\New\\\\new"),
        ("one\ntwo\r\n\r\nthree", "one\\ntwo\\n\\nthree"),
        ("a:b \"c\" 'd'", "a:b \"c\" 'd'"),
        ("tab\tnull\x00bell\x07", "tab\tnullbell"),
    ],
)
def test_text_is_escaped_as_the_standard_says(text: str, escaped: str) -> None:
    assert f"DESCRIPTION:{escaped}" in lines(ical.vevent(entry(description=Description(before=(text,)))))


@settings(deadline=None)
@given(title=TEXT, description=TEXT, location=TEXT, category=TEXT)
def test_any_text_comes_back_from_another_parser_and_brings_no_line_of_its_own(
    title: str, description: str, location: str, category: str
) -> None:
    hard = entry(
        title=title, description=Description(before=(description,)), location=location, categories=(category, "b,c")
    )
    event = read(hard)
    assert str(event["SUMMARY"]) == one_line(title)
    assert str(event.get("DESCRIPTION", "")) == paragraphs(description)
    assert str(event.get("LOCATION", "")) == one_line(location)
    assert [str(name) for name in event["CATEGORIES"].cats] == [one_line(category), "b,c"]
    assert event.errors == []
    block = ical.vevent(hard)
    known = {line.split(":")[0].split(";")[0] for line in lines(ical.vevent(ENTRY))}
    assert {line.split(":")[0].split(";")[0] for line in lines(block)} <= known
    assert b"\n" not in block.replace(b"\r\n", b"")
    assert max(len(line) for line in block.split(b"\r\n")) <= 75
    for line in block.split(b"\r\n"):
        line.decode()  # a character is never cut in two


@pytest.mark.parametrize("letter", ["x", "é", "李", "🎉", "👩‍🏫", ",", "\\"])
def test_lines_are_folded_at_75_octets_wherever_a_character_ends(letter: str) -> None:
    for length in range(20, 90):
        text = letter * length
        block = ical.vevent(entry(title=text))
        folded = block.split(b"\r\n")
        assert max(len(line) for line in folded) <= 75
        assert [line.decode() for line in folded]
        (event,) = icalendar.Calendar.from_ical(b"BEGIN:VCALENDAR\r\n" + block + b"END:VCALENDAR\r\n").walk("VEVENT")
        assert str(event["SUMMARY"]) == text


def test_a_feed_has_a_name_and_says_how_often_to_look_again() -> None:
    body = ical.feed(
        "Vale & Marsh; all\r\nX-EVIL:1",
        [ical.vevent(ENTRY), ical.vevent(entry(uid="uid-2"))],
        source="https://x.example/feeds/calendar.ics",
        description="Dates",
        page="https://x.example/events/",
        colour=PALETTE[1],
        refresh_hours=6,
    )
    head = lines(body[: body.index(b"BEGIN:VTIMEZONE")])
    assert head[0] == "BEGIN:VCALENDAR"
    assert sorted(head[1:]) == [
        "CALSCALE:GREGORIAN",
        "COLOR:darkblue",
        "DESCRIPTION:Dates",
        "NAME:Vale & Marsh\\; all X-EVIL:1",
        "PRODID:-//SEND calendar and bookings//EN",
        "REFRESH-INTERVAL;VALUE=DURATION:PT6H",
        "SOURCE;VALUE=URI:https://x.example/feeds/calendar.ics",
        "URL:https://x.example/events/",
        "VERSION:2.0",
        "X-APPLE-CALENDAR-COLOR:#013a8e",
        "X-PUBLISHED-TTL:PT6H",
        "X-WR-CALDESC:Dates",
        "X-WR-CALNAME:Vale & Marsh\\; all X-EVIL:1",
        "X-WR-TIMEZONE:Europe/London",
    ]
    assert [str(event["UID"]) for event in icalendar.Calendar.from_ical(body).walk("VEVENT")] == [
        "uid-1@x.example",
        "uid-2",
    ]
    assert body.count(b"BEGIN:VTIMEZONE") == 1
    assert body.endswith(b"END:VEVENT\r\nEND:VCALENDAR\r\n")


def test_a_feed_of_nothing_is_still_a_calendar() -> None:
    body = ical.feed("Empty", [], source="https://x.example/", description="")
    assert icalendar.Calendar.from_ical(body).walk("VEVENT") == []
    assert body.endswith(b"END:VTIMEZONE\r\nEND:VCALENDAR\r\n")


def test_a_feed_may_keep_its_own_address_to_itself() -> None:
    head = lines(ical.feed("Mine", [], source="", description="").split(b"BEGIN:VTIMEZONE")[0])
    assert [line for line in head if line.startswith(("SOURCE", "URL"))] == []


@pytest.mark.parametrize(("method", "status"), [("REQUEST", "CONFIRMED"), ("CANCEL", "CANCELLED")])
def test_an_invitation_is_for_one_attendee_and_counts_on_its_own(method: str, status: str) -> None:
    stamp = STAMP + timedelta(days=1)
    body = ical.invitation(ENTRY, PRIYA, method=method, sequence=7, stamp=stamp)
    calendar = icalendar.Calendar.from_ical(body)
    (event,) = calendar.walk("VEVENT")
    assert (str(calendar["METHOD"]), str(event["STATUS"]), event["SEQUENCE"]) == (method, status, 7)
    assert (event["DTSTAMP"].dt, event["LAST-MODIFIED"].dt) == (stamp, STAMP)
    assert (str(event["ORGANIZER"]), event["ORGANIZER"].params["CN"]) == ("mailto:team@x.example", "Vale & Marsh")
    assert str(event["ATTENDEE"]) == "mailto:priya@x.example"
    assert dict(event["ATTENDEE"].params) == {
        "CN": "Priya Nair",
        "CUTYPE": "INDIVIDUAL",
        "ROLE": "REQ-PARTICIPANT",
        "PARTSTAT": "ACCEPTED",
        "RSVP": "FALSE",
    }


def test_the_colours_are_those_of_the_pages() -> None:
    painted = re.findall(r"\.cat-(\d+) { --cat: (#[0-9a-f]{6});", STYLES.read_text(encoding="utf-8"))
    assert {int(number): colour for number, colour in painted} == {
        number: colour.hexadecimal for number, colour in PALETTE.items()
    }
    assert "COLOR:gold" in lines(ical.vevent(entry(colour=PALETTE[3].name)))


def test_html_stands_beside_plain_words_where_it_shows_more() -> None:
    bold = Description("**Bring** coffee <script>", ("It is off.",), (("More:", "https://x.example/?a=1&b=2"),))
    block = lines(ical.vevent(entry(description=bold)))
    assert "DESCRIPTION:It is off.\\n\\nBring coffee <script>\\n\\nMore: https://x.example/?a=1&b=2" in block
    (html,) = [line for line in block if line.startswith("X-ALT-DESC")]
    assert html == (
        "X-ALT-DESC;FMTTYPE=text/html:<html><body><p>It is off.</p><p><strong>Bring</strong> coffee &lt\\;script&gt\\;"
        '</p> <p>More: <a href="https://x.example/?a=1&amp\\;b=2">https://x.example/?a=1&amp\\;b=2</a></p></body></html>'
    )
    assert not [line for line in lines(ical.vevent(ENTRY)) if line.startswith("X-ALT-DESC")]


def test_an_alarm_rings_before_the_time_or_at_nine_in_the_morning() -> None:
    day_and_week = (timedelta(days=1), timedelta(days=7))
    timed, all_day, off = (
        read(entry(is_deadline=True, alarms=day_and_week, **values))
        for values in ({}, {"starts": None, "ends": None}, {"status": "CANCELLED"})
    )
    assert [alarm["TRIGGER"].dt for alarm in timed.walk("VALARM")] == [-timedelta(days=1), -timedelta(days=7)]
    assert [alarm["TRIGGER"].dt for alarm in all_day.walk("VALARM")] == [
        -timedelta(hours=15),
        -timedelta(days=6, hours=15),
    ]
    assert {str(alarm["ACTION"]) for alarm in timed.walk("VALARM")} == {"DISPLAY"}
    assert off.walk("VALARM") == []


def test_a_draft_says_that_it_is_one() -> None:
    assert str(read(entry(is_draft=True))["SUMMARY"]) == "DRAFT: SENCo forum"


def test_a_long_description_is_whole_and_folded() -> None:
    text = "Zeile, mit; allem 🎉 " * 5_000
    event = read(entry(description=Description(text)))
    assert len(text.encode()) > 100_000
    assert str(event["DESCRIPTION"]) == text.strip()


@settings(deadline=None)
@given(TEXT)
def test_a_name_cannot_break_an_invitation(name: str) -> None:
    who = replace(PRIYA, attendee_name=name, organiser_name=name)
    body = ical.invitation(ENTRY, who, method="REQUEST", sequence=0, stamp=STAMP)
    known = ical.invitation(ENTRY, PRIYA, method="REQUEST", sequence=0, stamp=STAMP)
    assert [re.split("[:;]", line)[0] for line in lines(body)] == [re.split("[:;]", line)[0] for line in lines(known)]
    (event,) = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert (str(event["ATTENDEE"]), str(event["ORGANIZER"])) == ("mailto:priya@x.example", "mailto:team@x.example")
    assert {event[who].params.get("CN", "") for who in ("ATTENDEE", "ORGANIZER")} == {one_line(name).replace("\\", "/")}
