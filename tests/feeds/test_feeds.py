"""Feeds: right for parsers that we did not write, cheap for clients that ask again and again."""

import gzip
from datetime import UTC, date, datetime, time, timedelta
from zoneinfo import ZoneInfo

import icalendar
import pytest
import recurring_ical_events
import time_machine
import vobject
from flask import Flask
from flask.testing import FlaskClient
from ics import Calendar as IcsCalendar

from booking.bookings.models import PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind, Visibility
from booking.core.clock import now
from booking.core.db import db
from booking.core.tokens import link_token, new_key
from booking.directory.models import Area, Person
from tests.databases import close, make_app
from tests.factories import (
    make_audience,
    make_booking,
    make_category,
    make_event,
    make_person,
    make_school,
    make_venue,
    sign_in,
)

LONDON = ZoneInfo("Europe/London")


def fill() -> None:
    """A year with what breaks clients."""
    venue = make_venue("Hall, north; upstairs")
    hard = "Line one\nLine two, with; marks\\ and END:VEVENT\r\nBEGIN:VALARM\x07"
    make_event(
        "Winter", day=date(2027, 1, 14), starts=time(9, 30), ends=time(10, 30), venue_id=venue.id, description=hard
    )
    make_event("Before the clocks go forward", day=date(2027, 3, 26), starts=time(9, 30), ends=time(10, 30))
    make_event("After the clocks went forward", day=date(2027, 3, 29), starts=time(9, 30), ends=time(10, 30))
    make_event("Emoji 🎉, Ünïcode; 李小龍 " + "long " * 30, day=date(2027, 7, 1))
    make_event("All day", day=date(2027, 5, 4), starts=None, ends=None)
    make_event("Three days", day=date(2027, 5, 5), starts=None, ends=None, last_day=date(2027, 5, 7))
    make_event("Panel applications", kind=Kind.DEADLINE, day=date(2027, 6, 1), starts=time(17, 0))
    cancelled = make_event("Off", day=date(2027, 6, 2), status=EventStatus.CANCELLED, cancel_note="The hall is flooded")
    cancelled.sequence = 3
    db.session.commit()


EXPECTED = {
    "Winter": datetime(2027, 1, 14, 9, 30, tzinfo=UTC),
    "Before the clocks go forward": datetime(2027, 3, 26, 9, 30, tzinfo=UTC),
    "After the clocks went forward": datetime(2027, 3, 29, 8, 30, tzinfo=UTC),
    ("Emoji 🎉, Ünïcode; 李小龍 " + "long " * 30).strip(): datetime(2027, 7, 1, 12, 30, tzinfo=UTC),
    "All day": date(2027, 5, 4),
    "Three days": date(2027, 5, 5),
    "Closes: Panel applications": datetime(2027, 6, 1, 15, 45, tzinfo=UTC),
    "CANCELLED: Off": datetime(2027, 6, 2, 12, 30, tzinfo=UTC),
}


def in_utc(value: date) -> date:
    return value.astimezone(UTC) if isinstance(value, datetime) else value


@pytest.fixture
def body(app: Flask, client: FlaskClient) -> bytes:
    with app.app_context():
        fill()
    return client.get("/feeds/calendar.ics").data


def test_icalendar_reads_every_event_at_its_instant(body: bytes) -> None:
    events = icalendar.Calendar.from_ical(body).walk("VEVENT")
    assert {str(event["SUMMARY"]): in_utc(event["DTSTART"].dt) for event in events} == EXPECTED
    assert {str(event["STATUS"]) for event in events if "Off" in event["SUMMARY"]} == {"CANCELLED"}
    assert not any(event.errors for event in events)


def test_vobject_reads_every_event_at_its_instant(body: bytes) -> None:
    calendar = vobject.readOne(body.decode())
    assert {event.summary.value: in_utc(event.dtstart.value) for event in calendar.vevent_list} == EXPECTED


def test_ics_reads_every_event_at_its_instant(body: bytes) -> None:
    events = IcsCalendar(body.decode()).events
    found = {e.name: e.begin.date() if e.all_day else e.begin.datetime.astimezone(UTC) for e in events}
    assert found == EXPECTED


def test_an_expander_of_recurrences_sees_the_same_days(body: bytes) -> None:
    calendar = icalendar.Calendar.from_ical(body)
    seen = recurring_ical_events.of(calendar).between(date(2027, 5, 4), date(2027, 5, 8))
    assert sorted(str(event["SUMMARY"]) for event in seen) == ["All day", "Three days"]
    (three,) = [event for event in seen if event["SUMMARY"] == "Three days"]
    assert three["DTEND"].dt == date(2027, 5, 8)


def test_the_bytes_keep_to_the_letter(body: bytes) -> None:
    assert body.startswith(b"BEGIN:VCALENDAR\r\n")
    assert body.endswith(b"END:VCALENDAR\r\n")
    assert b"\n" not in body.replace(b"\r\n", b"")
    assert max(len(line) for line in body.split(b"\r\n")) <= 75
    for line in body.split(b"\r\n"):
        line.decode("utf-8")  # folding never cuts a character
    assert body.count(b"BEGIN:VEVENT") == body.count(b"END:VEVENT\r\n") == len(EXPECTED)
    assert body.count(b"BEGIN:VTIMEZONE") == 1
    for word in (b"METHOD", b"ORGANIZER", b"ATTENDEE", b"VALARM\r\n"):
        assert word not in body
    assert b"SEQUENCE:3" in body


def test_titles_and_descriptions_that_would_break_out_stay_text_for_every_parser(
    app: Flask, client: FlaskClient
) -> None:
    evil = "Forum\r\nEND:VEVENT\nBEGIN:VEVENT\x00\x07\u2028 \\n; , 🎉"
    long = "Zwölf, mit; Zeichen 🎉\n\n" * 4_000
    with app.app_context():
        for title, description in ((evil.replace("\x00", ""), "short"), ("Long", long)):
            make_event(title, description=description)
    body = client.get("/feeds/calendar.ics").data
    assert len(long.encode()) > 100_000
    found = icalendar.Calendar.from_ical(body).walk("VEVENT")
    titles = {str(event["SUMMARY"]) for event in found}
    assert titles == {"Forum END:VEVENT BEGIN:VEVENT \\n; , 🎉", "Long"}
    assert len(vobject.readOne(body.decode()).vevent_list) == len(IcsCalendar(body.decode()).events) == len(found) == 2
    (whole,) = [str(event["DESCRIPTION"]) for event in found if event["SUMMARY"] == "Long"]
    assert whole.startswith(long.strip())


def test_a_deadline_does_not_block_the_day(body: bytes) -> None:
    events = {str(e["SUMMARY"]): e for e in icalendar.Calendar.from_ical(body).walk("VEVENT")}
    assert str(events["Closes: Panel applications"]["TRANSP"]) == "TRANSPARENT"
    assert events["Closes: Panel applications"]["DTEND"].dt == datetime(2027, 6, 1, 17, 0, tzinfo=LONDON)
    assert str(events["Winter"]["TRANSP"]) == "OPAQUE"


def test_nothing_private_stands_in_a_feed(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event("On line", joining_link="https://meet.example.org/secret")
        make_event("For staff", visibility=Visibility.STAFF)
        make_event("Team", visibility=Visibility.TEAM)
        make_event("Draft", status=EventStatus.DRAFT)
        make_booking(event, "Priya Nair", "priya@school.example")
    for path in ("/feeds/calendar.ics", "/feeds/senco-forum.ics", f"/events/{event.id}.ics"):
        body = client.get(path).text
        assert body.count("BEGIN:VEVENT") == 1
        for word in ("secret", "Priya", "priya", "For staff", "Team", "Draft"):
            assert word not in body


def test_an_unchanged_feed_answers_304_and_the_same_bytes(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
    first = client.get("/feeds/calendar.ics")
    assert first.headers["Content-Type"] == "text/calendar; charset=utf-8"
    assert first.headers["Cache-Control"] == "public, max-age=300"
    assert "Set-Cookie" not in first.headers
    assert first.headers["Vary"] == "Accept-Encoding"
    assert client.get("/feeds/calendar.ics").data == first.data
    again = client.get("/feeds/calendar.ics", headers={"If-None-Match": first.headers["ETag"]})
    assert (again.status_code, again.data) == (304, b"")
    with time_machine.travel(now() + timedelta(minutes=1)):
        dated = client.get("/feeds/calendar.ics").headers["Last-Modified"]
        later = client.get("/feeds/calendar.ics", headers={"If-Modified-Since": dated})
    assert later.status_code == 304
    head = client.head("/feeds/calendar.ics")
    assert (head.status_code, head.data, head.headers["ETag"]) == (200, b"", first.headers["ETag"])


def test_a_client_that_takes_gzip_gets_it_with_an_etag_that_works(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
    plain = client.get("/feeds/calendar.ics")
    zipped = client.get("/feeds/calendar.ics", headers={"Accept-Encoding": "gzip"})
    assert zipped.headers["Content-Encoding"] == "gzip"
    assert gzip.decompress(zipped.data) == plain.data
    assert zipped.headers["ETag"] != plain.headers["ETag"]
    headers = {"Accept-Encoding": "gzip", "If-None-Match": zipped.headers["ETag"]}
    assert client.get("/feeds/calendar.ics", headers=headers).status_code == 304


def test_a_change_is_seen_at_the_very_next_request_also_in_another_process(
    app: Flask, client: FlaskClient, database_url: str
) -> None:
    with app.app_context():
        event = make_event("Old title")
    other = make_app(database_url)
    first = other.test_client().get("/feeds/calendar.ics")
    with app.app_context():
        db.session.get(Event, event.id).title = "New title"
        db.session.commit()
    seen = other.test_client().get("/feeds/calendar.ics", headers={"If-None-Match": first.headers["ETag"]})
    close(other)
    assert seen.status_code == 200
    assert "New title" in seen.text


def test_what_leaves_a_feed_is_seen_by_a_client_that_only_knows_a_date(app: Flask, client: FlaskClient) -> None:
    with time_machine.travel(datetime(2026, 11, 24, 9, 0, tzinfo=UTC)) as clock:
        with app.app_context():
            event = make_event("Not for everybody")
        clock.shift(60)
        first = client.get("/feeds/calendar.ics")
        assert first.headers["Last-Modified"] == "Tue, 24 Nov 2026 09:00:00 GMT"
        clock.shift(60)
        with app.app_context():
            db.session.get(Event, event.id).visibility = Visibility.TEAM
            db.session.commit()
        asked = {"If-Modified-Since": first.headers["Last-Modified"]}
        assert "VEVENT" not in client.get("/feeds/calendar.ics", headers=asked).text
        assert client.get("/feeds/calendar.ics").headers["Last-Modified"] == "Tue, 24 Nov 2026 09:01:59 GMT"
        with app.app_context():
            db.session.query(Area).one().name = "Another name"
            db.session.commit()
        assert "NAME:Another name" in client.get("/feeds/calendar.ics", headers=asked).text


def test_a_filtered_feed_keeps_what_is_over_or_full(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Forum over", in_days=-3)
        make_event("Forum full", capacity=0)
        make_event("Circle")
    body = client.get("/feeds/calendar.ics?q=forum&free=y&when=past&utm=1").text
    assert [title in body for title in ("Forum over", "Forum full", "Circle")] == [True, True, False]
    source = "SOURCE;VALUE=URI:http://calendar.example.org/feeds/calendar.ics?q=forum\r\n"
    assert source in body.replace("\r\n ", "")


def test_a_public_answer_carries_no_cookie_of_whoever_asked(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
        person = make_person()
    sign_in(client, person)
    with client.session_transaction() as session:
        session.permanent = True
    assert "Set-Cookie" in client.get("/my/").headers
    answer = client.get("/feeds/calendar.ics")
    assert ("Set-Cookie" in answer.headers, answer.headers["Vary"]) == (False, "Accept-Encoding")


def test_a_booking_changes_nothing_of_a_feed(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event()
    first = client.get("/feeds/calendar.ics")
    form = {"name": "Priya Nair", "email": "priya@school.example", "school": ""}
    client.post(f"/events/{event.id}/book", data=form)
    again = app.test_client().get("/feeds/calendar.ics")
    assert (again.headers["ETag"], again.data) == (first.headers["ETag"], first.data)


def test_the_filters_of_the_list_work_and_an_unknown_one_is_told(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Forum")
        make_event("Coffee", category_id=make_category("Coffee morning").id)
    assert client.get("/feeds/calendar.ics?category=coffee-morning").text.count("BEGIN:VEVENT") == 1
    assert client.get("/feeds/coffee-morning.ics").text.count("BEGIN:VEVENT") == 1
    assert client.get("/feeds/calendar.ics?q=forum").text.count("SUMMARY:Forum") == 1
    wrong = client.get("/feeds/calendar.ics?category=nothing")
    assert (wrong.status_code, wrong.text) == (
        400,
        "There is no kind of event called “nothing”. Choose from the list.\n",
    )
    assert client.get("/feeds/nothing.ics").status_code == 404


def test_a_feed_for_an_audience_has_what_is_for_anyone_too(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Forum", audiences=[make_audience("SENCos")])
        make_event("Coffee", audiences=[make_audience("Parents and carers")])
        make_event("For anyone")
    events = icalendar.Calendar.from_ical(client.get("/feeds/calendar.ics?audience=sencos").data).walk("VEVENT")
    assert sorted(str(event["SUMMARY"]) for event in events) == ["For anyone", "Forum"]


def test_a_description_stands_in_a_calendar_in_plain_words(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event(description="**Bring** coffee, see [the map](https://x.example/map).\n\n- one\n- *two*")
    (entry,) = icalendar.Calendar.from_ical(client.get(f"/events/{event.id}.ics").data).walk("VEVENT")
    assert str(entry["DESCRIPTION"]).startswith(
        "Bring coffee, see the map (https://x.example/map).\n\n- one\n- two\n\nMore, and booking: "
    )


def test_past_events_of_this_school_year_and_the_one_before_stay(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Last month", in_days=-30)
        make_event("Long ago", in_days=-1200)
    body = client.get("/feeds/calendar.ics").text
    assert ("Last month" in body, "Long ago" in body) == (True, False)


def test_my_feed_shows_my_places_and_my_schools_closing_dates(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        school = make_school()
        person = make_person("priya@school.example", school_id=school.id)
        booked = make_event("Booked", joining_link="https://meet.example.org/secret")
        make_booking(booked, "Priya Nair", person.email)
        make_event("Not booked")
        full = make_event("Waiting for", capacity=0)
        make_booking(full, "Priya Nair", person.email, status=PlaceStatus.WAITING)
        make_event("Return", kind=Kind.DEADLINE)
        token = link_token("feed", person.feed_key)
    answer = client.get(f"/feeds/my/{token}.ics")
    found = {str(e["SUMMARY"]): str(e["STATUS"]) for e in icalendar.Calendar.from_ical(answer.data).walk("VEVENT")}
    assert found == {"Booked": "CONFIRMED", "Waiting for": "TENTATIVE", "Closes: Return": "CONFIRMED"}
    assert answer.headers["Cache-Control"] == "private, max-age=300"
    assert "secret" not in answer.text
    # Whoever is shown the calendar must not find its address in it.
    assert (token in answer.text.replace("\r\n ", ""), "SOURCE" in answer.text) == (False, False)
    # Calendars are shared: whoever reads this one must not be able to open or cancel a place.
    assert "/places/" not in answer.text.replace("\r\n ", "")
    assert "http://calendar.example.org/my/" in answer.text.replace("\r\n ", "")
    with app.app_context():
        db.session.get(Person, person.id).feed_key = new_key()
        db.session.commit()
    assert client.get(f"/feeds/my/{token}.ics").status_code == 410


def test_the_file_of_an_event_is_seen_by_who_may_see_the_event(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event, team = make_event("Forum"), make_event("Team", visibility=Visibility.TEAM)
    answer = client.get(f"/events/{event.id}.ics")
    assert answer.headers["Content-Disposition"] == 'attachment; filename="forum.ics"'
    assert "METHOD" not in answer.text
    assert client.get(f"/events/{team.id}.ics").status_code == 404


def test_the_page_says_how_to_subscribe(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
    page = client.get("/feeds/").text
    assert "http://calendar.example.org/feeds/calendar.ics" in page
    assert "webcal://calendar.example.org/feeds/senco-forum.ics" in page


def test_a_time_without_an_end_takes_an_hour() -> None:
    from booking.calendar import ical

    entry = ical.CalendarEntry(
        "u",
        0,
        "T",
        date(2027, 1, 14),
        time(9, 0),
        None,
        None,
        False,
        True,
        "CONFIRMED",
        ical.Description(),
        "",
        "https://x.example",
        (),
        datetime(2026, 1, 1, tzinfo=UTC),
    )
    (event,) = icalendar.Calendar.from_ical(ical.single(entry)).walk("VEVENT")
    assert event["DTEND"].dt - event["DTSTART"].dt == timedelta(hours=1)
