"""What is on: the home page, the planner, the list and an event, as a browser without scripts gets them."""

import html
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import UTC, date, datetime, time, timedelta
from itertools import product

import icalendar
import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings.models import PlaceStatus
from booking.calendar.models import Audience, Event, EventStatus, Kind, Visibility, WhoMayBook
from booking.core.clock import now
from booking.core.db import db
from booking.directory.models import RoleName
from tests.factories import (
    make_audience,
    make_booking,
    make_category,
    make_contact,
    make_event,
    make_organiser,
    make_person,
    make_school,
    make_venue,
    sign_in,
    the_area,
)
from tests.statements import statements

NOW = datetime(2027, 1, 13, 10, 0, tzinfo=UTC)  # a Wednesday: half term 3, week 2
FEBRUARY = date(2027, 2, 2)  # a Tuesday: half term 3, week 5
LINK, BOOKER = "https://meet.example.org/secret-room", "Wilhelmina Quist"
YEARS = "/calendar/2026-27/"


@pytest.fixture(autouse=True)
def _in_january(app: Flask) -> Iterator[None]:
    with time_machine.travel(NOW):
        with app.app_context():
            the_area()
        yield


def text_of(page) -> str:
    """What somebody reads: without tags, with single spaces."""
    body = re.sub(r"<(script|style|head)\b.*?</\1>", " ", page.text, flags=re.DOTALL)
    return " ".join(html.unescape(re.sub(r"<[^>]+>", " ", body)).split())


def titles(page) -> list[str]:
    """The titles of the rows of a list, in order."""
    return [html.unescape(t) for t in re.findall(r'<h3 class="ev__title"><a [^>]*>([^<]*)</a>', page.text)]


def set_up(app: Flask, make: Callable[[], None]) -> None:
    with app.app_context():
        make()


# Who sees what, everywhere.


@dataclass(frozen=True)
class Entry:
    """One event of the walk: what it is, and where."""

    title: str
    visibility: str
    status: str
    kind: str
    category: str = "SENCo forum"
    id: int = 0
    path: str = ""


ENTRIES = [
    Entry(f"{visibility} {status} {kind} forum".capitalize(), visibility, status, kind)
    for visibility, status, kind in product(Visibility, EventStatus, (Kind.SESSION, Kind.DEADLINE))
] + [
    Entry("Quarterly figures", "team", "published", "session", "Board meeting"),
    Entry("Grand opening", "public", "draft", "session", "New things"),
]
SEES = {
    "anybody": ({"public"}, {"published", "cancelled"}),
    "signed in": ({"public", "staff"}, {"published", "cancelled"}),
    "facilitator": ({"public", "staff", "team"}, {"published", "cancelled"}),
    "organiser": ({"public", "staff", "team"}, {"draft", "published", "cancelled"}),
}


def make_entries() -> list[Entry]:
    """Every kind of event of every visibility at every point of its life, booked and with a joining link."""
    made, sencos = [], make_audience()
    make_category("Board meeting", visibility=Visibility.TEAM)
    for entry in ENTRIES:
        session = entry.kind == "session"
        event = make_event(
            entry.title,
            kind=Kind(entry.kind),
            visibility=Visibility(entry.visibility),
            status=EventStatus(entry.status),
            category_id=make_category(entry.category).id,
            audiences=[sencos],
            day=FEBRUARY,
            joining_link=LINK if session else "",
        )
        if session:
            make_booking(event, BOOKER, "wilhelmina@school.example")
        made.append(Entry(**{**vars(entry), "id": event.id, "path": event.path}))
    return made


def sign_in_as(app: Flask, client: FlaskClient, reader: str) -> None:
    with app.app_context():
        if reader == "signed in":
            person = make_person()
            make_contact(make_school(), person.email)
            sign_in(client, person)
        elif reader != "anybody":
            sign_in(client, make_organiser(role=RoleName(reader)))


def summaries(answer) -> set[str]:
    events = icalendar.Calendar.from_ical(answer.data).walk("VEVENT")
    return {str(event["SUMMARY"]).removeprefix("CANCELLED: ").removeprefix("DRAFT: ") for event in events}


@pytest.mark.parametrize("reader", SEES)
def test_public_staff_and_team_events_and_drafts_are_kept_apart_everywhere(
    app: Flask, client: FlaskClient, reader: str
) -> None:
    with app.app_context():
        entries, area = make_entries(), the_area().slug
    sign_in_as(app, client, reader)
    sees, at = SEES[reader]

    def those(visibilities=sees, statuses=at, **more: str) -> set[str]:
        found = (e for e in entries if e.visibility in visibilities and e.status in statuses)
        return {e.title for e in found if all(getattr(e, name) == value for name, value in more.items())}

    def shown(page) -> set[str]:
        """The events that a page leads to; it must not name any other, nor anybody who booked."""
        ids = {int(number) for number in re.findall(r'href="/events/(\d+)-', page.text)}
        found = {e.title for e in entries if e.id in ids}
        assert [e.title for e in entries if e.title in html.unescape(page.text) and e.title not in those()] == []
        for word in (LINK, BOOKER, "wilhelmina"):
            assert word not in page.text
        return found

    everything, on, wall = those(), those(statuses={"published"}), those(sees - {"team"}, {"published", "cancelled"})
    forums = those(category="SENCo forum")
    pages = {
        "/": on,
        "/calendar/": everything,
        YEARS: everything,
        f"{YEARS}?team=y": everything,
        f"{YEARS}?team=": wall,
        f"{YEARS}?team=n": wall,
        f"{YEARS}?paper=a4": wall,
        f"{YEARS}?category=senco-forum": wall,
        f"{YEARS}?category=senco-forum&team=y": forums,
        f"{YEARS}?audience=sencos&team=y": everything,
        "/events/": everything,
        "/events/?category=senco-forum": forums,
        "/events/?category=new-things": those(category="New things"),
        "/events/?audience=sencos": everything,
        f"/events/?area={area}": everything,
        "/events/?from=2027-02-01": everything,
        "/events/?to=2027-02-28": everything,
        "/events/?from=2027-02-02&to=2027-02-02": everything,
        "/events/?from=2027-02-03": set(),
        "/events/?q=forum": forums,
        "/events/?q=team": {title for title in everything if "team" in title.lower()},
        "/events/?q=draft": {title for title in everything if "draft" in title.lower()},
        "/events/?free=y": on & those(kind="session"),
        "/events/?when=past": set(),
        "/events/?category=senco-forum&audience=sencos&q=FORUM+staff&from=2027-01-01&free=y": {
            title for title in on & those(kind="session") if "staff" in title.lower()
        },
        "/feeds/": set(),
        "/nothing-here": set(),
    }
    if "team" in sees:
        pages[f"{YEARS}?category=board-meeting&team=y"] = those(category="Board meeting")
        pages["/events/?category=board-meeting"] = those(category="Board meeting")
    bars = set()
    for address, expected in pages.items():
        page = client.get(address)
        assert (address, shown(page)) == (address, expected)
        bars.add(tuple(re.findall(r'class="bar l(\d)', page.text)))
    # The year line counts what everybody sees, for everybody: the session and the closing date of that week.
    assert [[int(level) for level in line if level != "0"] for line in bars] == [[2]]

    home = client.get("/")
    counts = dict(re.findall(r'category=([a-z-]+)">.*?<span class="num">(\d+)<', home.text))
    groups = {name: len(those(category=name)) for name in ("SENCo forum", "Board meeting", "New things")}
    assert counts == {n.lower().replace(" ", "-"): str(number) for n, number in groups.items() if number}
    names = {name: name in text_of(client.get("/events/")) for name in ("SENCo forum", "Board meeting")}
    assert names == {"SENCo forum": True, "Board meeting": "team" in sees}

    for entry in entries:
        page, file = client.get(entry.path), client.get(f"/events/{entry.id}.ics")
        if entry.title in everything:
            others = {title for title in on if title in those(kind=entry.kind, category=entry.category)}
            assert (page.status_code, shown(page)) == (200, others | {entry.title})
            assert (file.status_code, summaries(file)) == (200, {entry.title})
            for word in (LINK, BOOKER):
                assert word not in file.text
            continue
        assert (file.status_code, shown(file)) == (404, set())
        # Whoever may see it once signed in is asked to; nobody is told its title by its number.
        status = 302 if reader == "anybody" and entry.visibility == "staff" and entry.status != "draft" else 404
        assert (page.status_code, shown(page)) == (status, set())
        for end in ("/", "-other/", "/book"):
            page = client.get(f"/events/{entry.id}{end}")
            assert (page.status_code, shown(page)) == (status, set())
            address = f"/sign-in?next=/events/{entry.id}{end}" if status == 302 else None
            assert page.headers.get("Location") == address

    public = those({"public"}, {"published", "cancelled"})
    for address in ("calendar.ics", "senco-forum.ics", "calendar.ics?q=forum", "calendar.ics?category=senco-forum"):
        assert summaries(client.get(f"/feeds/{address}")) == public
    assert summaries(client.get("/feeds/calendar.ics?q=team")) == set()
    assert client.get("/feeds/calendar.ics?category=board-meeting").status_code == 400
    assert client.get("/feeds/board-meeting.ics").status_code == 404
    # The list names this kind to everybody; of what is on there is only a draft.
    assert summaries(client.get("/feeds/new-things.ics")) == set()
    assert re.findall(r'<section [^>]*id="([a-z-]+)"', client.get("/feeds/").text) == ["calendar", "senco-forum"]

    with time_machine.travel(NOW + timedelta(days=25)):
        assert shown(client.get("/events/?when=past")) == everything
        assert [shown(client.get(address)) for address in ("/", "/events/")] == [set(), set()]


# The home page.


def make_home() -> None:
    sencos, families = make_audience("SENCos"), make_audience("Parents and carers", is_families=True)
    coffee = make_category("Coffee morning", position=1)
    make_event("Forum", in_days=1, audiences=[sencos])
    make_event("Coffee", in_days=2, audiences=[families], category_id=coffee.id)
    make_event("For both", in_days=3, audiences=[sencos, families])
    make_event("For anyone", in_days=4)
    make_event("Off", in_days=5, audiences=[sencos], status=EventStatus.CANCELLED)
    make_event("Under way", in_days=-1, last_day=date(2027, 1, 14), audiences=[sencos])
    make_event("Over", in_days=-1, audiences=[sencos])
    for number in range(6):
        make_event(f"Return {number}", in_days=number, kind=Kind.DEADLINE, starts=time(17, 0))


def test_the_home_page_shows_what_is_next_and_what_closes(app: Flask, client: FlaskClient) -> None:
    set_up(app, make_home)
    page = client.get("/")
    assert titles(page) == ["Under way", "Forum", "Coffee", "For both", "For anyone"]
    due = re.search(r'<ul class="dues[^"]*">(.*?)</ul>', page.text, re.DOTALL)[1]
    assert re.findall(r">(Return \d)<", due) == [f"Return {number}" for number in range(5)]
    assert re.findall(r"due__left[^>]*>([^<]+)<", due) == ["today", "tomorrow", "in 2 days", "in 3 days", "in 4 days"]
    assert "http://calendar.example.org/feeds/calendar.ics" in page.text


@pytest.mark.both_databases
def test_every_number_on_the_home_page_is_what_the_list_then_shows(app: Flask, client: FlaskClient) -> None:
    set_up(app, make_home)
    page = client.get("/").text
    doors = re.findall(r'class="door" href="([^"]+)">([^<]+) <span>(\d+|no) dates? to come', page)
    kinds = re.findall(r'<li><a href="([^"]+)">[^\n]*</span> ([^<]+) <span class="num">(\d+)<', page)
    assert [words for _, words, _ in (*doors, *kinds)] == [
        "For schools",
        "For parents and carers",
        "SENCo forum",
        "Coffee morning",
    ]
    for address, words, number in (*doors, *kinds):
        listed = client.get(html.unescape(address))
        assert (words, str(len(titles(listed)))) == (words, number)
        assert f"{number} date{'' if number == '1' else 's'} found" in text_of(listed)


# The planner.


def test_the_planner_shows_each_week_with_what_is_in_it(app: Flask, client: FlaskClient) -> None:
    def make() -> None:
        make_event("Forum", day=FEBRUARY)
        make_event("Return", day=FEBRUARY + timedelta(days=1), kind=Kind.DEADLINE, starts=time(12, 0))
        make_event("Census", day=FEBRUARY + timedelta(days=2), kind=Kind.MILESTONE, starts=None)
        make_event("Off", day=FEBRUARY + timedelta(days=3), status=EventStatus.CANCELLED)
        make_event("In a holiday", day=date(2026, 12, 23), starts=None, ends=None)
        make_event("Before the year", day=date(2026, 8, 20))
        make_event("Last year", day=date(2026, 7, 20))

    set_up(app, make)
    page = client.get(YEARS)
    week = re.search(r'id="week-2027-02-01">(.*?)</ul>', page.text, re.DOTALL)[1]
    items = [" ".join(re.sub(r"<[^>]+>", " ", item).split()) for item in re.findall(r"<li.*?</li>", week, re.DOTALL)]
    assert items == [
        "SE Tue 2 Forum 1.30pm",
        "SE Wed 3 Closes: Return 12 noon",
        "SE Thu 4 Census",
        "SE Fri 5 Off cancelled 1.30pm",
    ]
    assert "2 for schools" in week
    christmas = re.search(
        r'<li class="holiday[^>]*><p><b>Christmas holiday</b>(.*?)</li>\s*</ul>', page.text, re.DOTALL
    )[1]
    assert "21 December to 1 January; bank holidays 25 December, 28 December and 1 January" in christmas
    assert "In a holiday" in christmas
    assert "Before the year" in re.search(r'aria-labelledby="before">(.*?)</section>', page.text, re.DOTALL)[1]
    assert "Last year" not in page.text
    assert re.findall(r'id="week-([\d-]+)">\s*<span class="week__now">', page.text) == ["2027-01-11"]
    text = text_of(page)
    assert "Year planner 2026-27" in text
    assert [f"Half term {n}" in text for n in range(1, 8)] == [True] * 6 + [False]
    assert "· half term 3, week 2" in text


@pytest.mark.both_databases
def test_every_event_of_the_year_stands_in_the_planner_exactly_once(app: Flask, client: FlaskClient) -> None:
    days = [date(2026, 8, 1) + timedelta(days=9 * n) for n in range(41)]
    set_up(app, lambda: [make_event(f"Entry {n}", day=day) for n, day in enumerate(days)])
    found = re.findall(r'href="/events/(\d+)-entry-\d+/"', client.get(YEARS).text)
    assert sorted(map(int, found)) == list(range(1, 42))


@pytest.mark.parametrize(
    "address", ["/calendar/", YEARS, f"{YEARS}?paper=a4", "/calendar/1996-97/", "/calendar/2029-30/"]
)
def test_a_school_year_is_shown_even_where_nothing_is_planned(client: FlaskClient, address: str) -> None:
    page = client.get(address)
    assert (page.status_code, page.text.count('class="ht"')) == (200, 6)


@pytest.mark.parametrize(
    "year", ["2026", "2026-28", "26-27", "next", "1995-96", "2030-31", "9999-00", "2026-27x", "٢٠٢٦-٢٧", "%00"]
)
def test_what_is_no_school_year_is_not_found_and_there_is_a_way_on(client: FlaskClient, year: str) -> None:
    page = client.get(f"/calendar/{year}/")
    assert (page.status_code, "Page not found" in page.text, 'href="/calendar/"' in page.text) == (404, True, True)


# The list.


def make_list() -> None:
    sencos, families = make_audience("SENCos"), make_audience("Parents and carers", is_families=True)
    coffee = make_category("Coffee morning")
    make_event("SENCo forum for Early Years", in_days=10, audiences=[sencos])
    make_event("Early help: 50% off_peak", in_days=20, audiences=[sencos, families])
    make_event("Coffee morning", in_days=30, audiences=[families], category_id=coffee.id)
    make_event("Three days", in_days=40, last_day=date(2027, 2, 24))
    make_event("Last month", in_days=-30)
    make_event("Yesterday", in_days=-1)


ALL_TO_COME = ["SENCo forum for Early Years", "Early help: 50% off_peak", "Coffee morning", "Three days"]


ASKED_FOR = {
    "": ALL_TO_COME,
    "category=coffee-morning": ["Coffee morning"],
    "category=coffee-morning&category=senco-forum": ALL_TO_COME,
    "audience=sencos": [*ALL_TO_COME[:2], "Three days"],  # what names no audience is for anyone
    "audience=parents-and-carers": ALL_TO_COME[1:],
    "audience=sencos&audience=parents-and-carers": ALL_TO_COME,
    "audience=parents-and-carers&category=senco-forum": [ALL_TO_COME[1], "Three days"],
    "area=AREA": ALL_TO_COME,
    "q=EARLY": ALL_TO_COME[:2],
    "q=years+senco": [ALL_TO_COME[0]],
    "q=early&q=years": [ALL_TO_COME[0]],
    "q=arl": ALL_TO_COME[:2],
    "q=%25": [ALL_TO_COME[1]],  # a percent sign is a percent sign
    "q=f_p": [ALL_TO_COME[1]],
    "q=o_f": [],
    "q=50%25+off_peak": [ALL_TO_COME[1]],
    "q=%5C": [],
    "q='": [],
    "q=nothing": [],
    "from=2027-02-02": ["Early help: 50% off_peak", "Coffee morning", "Three days"],
    "from=2027-02-24": ["Three days"],  # its last day
    "to=2027-02-02": ["Last month", "Yesterday", *ALL_TO_COME[:2]],
    "from=2027-01-12&to=2027-01-23": ["Yesterday", ALL_TO_COME[0]],
    "from=2027-02-23&to=2027-02-23": ["Three days"],  # its middle
    "when=past": ["Yesterday", "Last month"],
    "when=past&from=2027-01-01": ["Yesterday"],
    "category=&audience=&q=&from=&to=&when=&area=": ALL_TO_COME,
    "unheard=of": ALL_TO_COME,
}


@pytest.mark.both_databases
def test_the_list_shows_what_is_asked_for(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_list()
        area = the_area().slug
    for query, found in ASKED_FOR.items():
        page = client.get(f"/events/?{query.replace('AREA', area)}")
        assert (query, page.status_code, titles(page)) == (query, 200, found)
        assert ("Nothing found" in page.text) == (not found)


@pytest.mark.both_databases
def test_dates_of_one_day_stand_in_the_order_of_their_times(app: Flask, client: FlaskClient) -> None:
    def make() -> None:
        make_event("Afternoon", day=FEBRUARY)
        make_event("All day", day=FEBRUARY, starts=None, ends=None)
        make_event("Morning B", day=FEBRUARY, starts=time(9, 0))
        make_event("Morning A", day=FEBRUARY, starts=time(9, 0))
        make_event("The day before", day=FEBRUARY - timedelta(days=1), starts=time(17, 0), ends=None)

    set_up(app, make)
    in_order = ["The day before", "All day", "Morning A", "Morning B", "Afternoon"]
    assert titles(client.get("/events/")) == titles(client.get("/")) == in_order
    with time_machine.travel(NOW + timedelta(days=60)):
        assert titles(client.get("/events/?when=past")) == in_order[::-1]


def test_the_list_can_show_only_what_has_places_left(app: Flask, client: FlaskClient) -> None:
    def make() -> None:
        make_event("Room", in_days=1)
        make_event("Without a limit", in_days=2, capacity=None)
        make_event("Full", in_days=3, capacity=0)
        make_event("Open soon", in_days=3, opens_at=now() + timedelta(days=1))
        make_event("By invitation", in_days=3, who_may_book=WhoMayBook.INVITED, invitation_key="k" * 16)
        make_event("Just come", in_days=4, takes_bookings=False)
        make_event("Off", in_days=5, status=EventStatus.CANCELLED)

    set_up(app, make)
    assert titles(client.get("/events/?free=y")) == ["Room", "Without a limit"]


@pytest.mark.parametrize(
    ("query", "sentence"),
    [
        ("category=nothing", "There is no kind of event called “nothing”. Choose from the list."),
        ("category=senco-forum&category=<b>", "There is no kind of event called “<b>”. Choose from the list."),
        ("audience=nobody", "There is no audience called “nobody”. Choose from the list."),
        ("area=nowhere", "There is no area called “nowhere”."),
        ("from=soon", "“soon” is not a date. Write it like 2026-11-23."),
        ("to=2027-02-30", "“2027-02-30” is not a date. Write it like 2026-11-23."),
        ("from=2027-02-02&to=2027-02-01", "The first day is after the last. Swap them."),
        ("when=never", "“never” is not something to choose. Choose from the list."),
    ],
)
def test_a_filter_that_is_not_known_is_told_and_there_is_a_way_on(
    app: Flask, client: FlaskClient, query: str, sentence: str
) -> None:
    set_up(app, make_list)
    page, feed, year = (client.get(f"{path}?{query}") for path in ("/events/", "/feeds/calendar.ics", YEARS))
    assert (page.status_code, titles(page), sentence in text_of(page)) == (400, [], True)
    assert 'href="/events/">Show all events to come' in page.text
    rest = "The other filters hold." if "senco-forum" in query else "Nothing is filtered."
    assert (year.status_code, f"{sentence} {rest}" in text_of(year)) == (400, True)
    assert "Coffee morning" in year.text
    if "when" not in query:
        assert (feed.status_code, feed.text) == (400, f"{sentence}\n")


def test_a_filter_that_is_not_known_leaves_the_others_as_they_were_set(app: Flask, client: FlaskClient) -> None:
    set_up(app, make_list)
    query = "category=nothing&category=senco-forum&audience=sencos&q=early&from=soon&to=2027-02-20&free=y&page=2"
    page = client.get(f"/events/?{query}")
    assert (page.status_code, titles(page)) == (400, [])
    assert re.findall(r'name="([a-z]+)" value="([a-z-]+)" checked', page.text) == [
        ("audience", "sencos"),
        ("category", "senco-forum"),
        ("when", "coming"),
        ("free", "y"),
    ]
    assert re.findall(r'id="(q|from|to)"[^>]* value="([^"]*)"', page.text) == [
        ("q", "early"),
        ("from", "soon"),
        ("to", "2027-02-20"),
    ]
    (address,) = re.findall(r'<a href="([^"]+)">Show what the other filters find</a>', page.text)
    assert html.unescape(address) == "/events/?category=senco-forum&audience=sencos&q=early&to=2027-02-20&free=y"
    assert titles(client.get(html.unescape(address))) == ALL_TO_COME[:2]
    year = client.get(f"{YEARS}?audience=nobody&category=coffee-morning")
    assert year.status_code == 400
    assert "There is no audience called “nobody”. Choose from the list. The other filters hold." in text_of(year)
    assert ("Coffee morning" in year.text, "Three days" in year.text) == (True, False)
    year = client.get(f"{YEARS}?audience=sencos")
    assert [words in year.text for words in ("Early help", "Three days", 'href="/events/3-')] == [True, True, False]


def test_set_filters_can_be_taken_off_one_by_one(app: Flask, client: FlaskClient) -> None:
    set_up(app, make_list)
    page = client.get("/events/?category=senco-forum&audience=sencos&q=early+help&from=2027-01-20&page=1")
    applied = re.search(r'<ul class="applied.*?</ul>', page.text, re.DOTALL)[0]
    links = [
        (
            html.unescape(re.sub(r"<[^>]+>", "", words)).removeprefix("Remove: ").removesuffix(" ✕"),
            html.unescape(address),
        )
        for address, words in re.findall(r'<a href="([^"]+)">(.*?)</a>', applied)
    ]
    assert links == [
        ("SENCo forum", "/events/?audience=sencos&q=early+help&from=2027-01-20"),
        ("SENCos", "/events/?category=senco-forum&q=early+help&from=2027-01-20"),
        ("“early help”", "/events/?category=senco-forum&audience=sencos&from=2027-01-20"),
        ("from 20.1.2027", "/events/?category=senco-forum&audience=sencos&q=early+help"),
        ("Clear all", "/events/"),
    ]
    assert [client.get(address).status_code for _, address in links] == [200] * 5
    assert '<input class="govuk-input" id="q" name="q" type="search" value="early help">' in page.text
    assert re.findall(r'type="checkbox" name="\w+" value="([a-z-]+)" checked', page.text) == ["sencos", "senco-forum"]


def test_a_long_list_comes_in_pages_that_keep_the_filters(app: Flask, client: FlaskClient) -> None:
    def make() -> None:
        values = {"area_id": the_area().id, "category_id": make_category().id, "kind": Kind.SESSION}
        values |= {"visibility": Visibility.PUBLIC, "status": EventStatus.PUBLISHED}
        days = [FEBRUARY + timedelta(days=n) for n in range(101)]
        db.session.add_all(Event(title=f"Event {n:03}", day=day, **values) for n, day in enumerate(days))
        db.session.commit()

    set_up(app, make)
    pages = [client.get(f"/events/?q=event&page={number}") for number in (1, 2, 3)]
    assert [title for page in pages for title in titles(page)] == [f"Event {n:03}" for n in range(101)]
    assert [len(titles(page)) for page in pages] == [50, 50, 1]
    assert all("101 dates found" in text_of(page) for page in pages)
    ways = [dict(re.findall(r'href="([^"]+)" rel="(prev|next)"', page.text)) for page in pages]
    assert [{rel: html.unescape(address) for address, rel in way.items()} for way in ways] == [
        {"next": "/events/?q=event&page=2"},
        {"prev": "/events/?q=event&page=1", "next": "/events/?q=event&page=3"},
        {"prev": "/events/?q=event&page=2"},
    ]
    for wrong, like in (("0", 0), ("-1", 0), ("x", 0), ("", 0), ("4", 2), ("9" * 30, 2)):
        assert titles(client.get(f"/events/?q=event&page={wrong}")) == titles(pages[like])


def test_rows_say_when_where_and_whether_one_can_still_come(app: Flask, client: FlaskClient) -> None:
    def make() -> None:
        oak = make_venue("Oak Suite")
        make_event("Room", in_days=0, starts=time(17, 0), ends=None, venue_id=oak.id)
        make_event("Full", in_days=1, capacity=1)
        for status in (PlaceStatus.CONFIRMED, PlaceStatus.WAITING, PlaceStatus.WAITING):
            make_booking(db.session.query(Event).filter_by(title="Full").one(), status=status)
        make_event("Closed", in_days=2, closes_at=NOW - timedelta(hours=1))
        make_event("Off", in_days=3, status=EventStatus.CANCELLED)
        make_event("Just come", in_days=4, takes_bookings=False, starts=None, ends=None, last_day=date(2027, 1, 18))
        make_event("Return", in_days=5, kind=Kind.DEADLINE, starts=time(12, 0))
        make_event("Census", in_days=6, kind=Kind.MILESTONE, starts=None)

    set_up(app, make)
    rows = re.findall(r'<li class="ev .*?</li>', client.get("/events/").text, re.DOTALL)
    said = [" ".join(html.unescape(re.sub(r"<[^>]+>", " ", row)).split()) for row in rows]
    assert [re.sub(r"^\w{3} \d+ Jan SE SENCo forum ", "", words) for words in said] == [
        "Room Wednesday 13 January 2027, today, 5pm Oak Suite 30 places left book by Wed 13 January",
        "Full Thursday 14 January 2027, 1.30pm to 3.30pm Full 2 waiting",
        "Closed Friday 15 January 2027, 1.30pm to 3.30pm Closed booking has closed",
        "Off Saturday 16 January 2027, 1.30pm to 3.30pm Cancelled",
        "Just come Sunday 17 to Monday 18 January 2027, until Mon 18 January Just come no booking",
        "· closing date Return Monday 18 January 2027, by 12 noon By 12 noon in 5 days",
        "Census Tuesday 19 January 2027 for information",
    ]


# An event.


def make_one(app: Flask, **values) -> Event:
    with app.app_context():
        event = make_event(**values)
        _ = event.path
        return event


def test_an_event_page_says_all_of_it_but_the_way_in(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        venue = make_venue("Oak Suite", address="High Street", directions="Ring twice")
        event = make_event(
            'Autism & <b>girls</b>: "what" helps',
            day=FEBRUARY,
            venue_id=venue.id,
            audiences=[make_audience("SENCos")],
            description="# Bring\n\n**coffee** <script>alert(1)</script>",
            cost="£10",
            joining_link=LINK,
            closes_at=datetime(2027, 2, 1, 12, 0, tzinfo=UTC),
        )
        make_booking(event, BOOKER)
    page = client.get(event.path)
    assert re.findall(r"<h1>(.*?)</h1>", page.text) == [html.escape(event.title, quote=False).replace('"', "&#34;")]
    assert event.path == f"/events/{event.id}-autism-b-girls-b-what-helps/"
    text = text_of(page)
    for words in (
        "SENCo forum · for SENCos",
        "Tuesday 2 February 2027, 1.30pm to 3.30pm Oak Suite, High Street",
        "29 places left",
        "1 of 30 are taken",
        "Booking closes Monday 1 February, 12 noon Book places For yourself and colleagues. No account needed.",
        "Bring coffee <script>alert(1)</script>",
        "Who it is for SENCos Places 30 in all Cost £10 On line Whoever has a place gets the joining link by e-mail.",
        "Getting there Ring twice",
    ):
        assert words in text
    assert "<h3>Bring</h3>" in page.text
    for hidden in (LINK, BOOKER, "<script>alert", "Manage this event"):
        assert hidden not in page.text
    assert f'<a class="govuk-button is-wide" href="/events/{event.id}/book">' in page.text
    assert f'href="/events/{event.id}.ics"' in page.text
    assert 'href="/feeds/#senco-forum"' in page.text


@pytest.mark.parametrize("words", ["/", "-/", "-wrong/", "-Forum-1/", "-senco-forum-1-and-more/"])
def test_an_address_with_other_words_leads_to_the_right_one(app: Flask, client: FlaskClient, words: str) -> None:
    event = make_one(app)
    answer = client.get(f"/events/{event.id}{words}")
    assert (answer.status_code, answer.headers.get("Location")) == ((301, event.path) if words != "-/" else (404, None))
    assert client.get(event.path).status_code == 200


CLOSED = "Booking has closed. Ask the partnership whether there is still room."
PAST = "This event has started or is over, so it cannot be booked any more."
STATES = [
    ({}, "30 places left", True),
    ({"capacity": 1}, "1 place left", True),
    ({"capacity": None}, "Open to all", True),
    ({"capacity": 0}, "Full 0 people waiting All 0 places are taken. Join the waiting list", True),
    ({"closes_at": NOW - timedelta(minutes=1)}, CLOSED, False),
    ({"in_days": -1}, PAST, False),
    ({"in_days": 0, "starts": time(9, 59)}, PAST, False),
    ({"status": EventStatus.CANCELLED}, "This event has been cancelled, so it cannot be booked.", False),
    ({"takes_bookings": False, "capacity": None}, "Just come Nobody needs to book this.", False),
    ({"takes_bookings": False, "capacity": None, "in_days": -1}, "This event is over.", False),
    ({"takes_bookings": False, "status": EventStatus.CANCELLED}, "This has been cancelled.", False),
    (
        {"kind": Kind.DEADLINE, "in_days": 5, "starts": time(12, 0)},
        "Closes in 5 days Monday 18 January 2027, 12 noon",
        False,
    ),
    (
        {"kind": Kind.DEADLINE, "in_days": 0, "starts": time(12, 0)},
        "Closes today Wednesday 13 January 2027, 12 noon",
        False,
    ),
    ({"kind": Kind.DEADLINE, "in_days": 0, "starts": time(9, 0)}, "Closed Wednesday 13 January 2027, 9am", False),
    ({"kind": Kind.DEADLINE, "in_days": -1, "starts": None}, "Closed Tuesday 12 January 2027", False),
    ({"kind": Kind.DEADLINE, "status": EventStatus.CANCELLED}, "This has been cancelled.", False),
    ({"kind": Kind.MILESTONE, "starts": None}, "For information Nothing to book, nothing to send.", False),
]


@pytest.mark.parametrize(("values", "sentence", "bookable"), STATES)
def test_an_event_page_says_whether_one_can_come(
    app: Flask, client: FlaskClient, values: dict, sentence: str, bookable: bool
) -> None:
    event = make_one(app, **values)
    page = client.get(event.path)
    box = re.search(r"<aside class=\"bookbox.*?</aside>", page.text, re.DOTALL)[0]
    words = " ".join(html.unescape(re.sub(r"<[^>]+>", " ", box)).split())
    assert words.startswith(sentence)
    assert (f'href="/events/{event.id}/book"' in page.text) == bookable
    assert ("Add to my calendar" in page.text) == (event.status is not EventStatus.CANCELLED)


def test_a_cancelled_event_says_so_with_its_note(app: Flask, client: FlaskClient) -> None:
    event = make_one(app, status=EventStatus.CANCELLED, cancel_note="The hall is flooded")
    page = client.get(event.path)
    assert "Cancelled. The hall is flooded" in text_of(page)
    assert 'class="evwhen was"' in page.text


@pytest.mark.both_databases
def test_the_other_dates_of_its_kind_lead_on(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        events = [make_event(f"Forum ({n})", day=date(2026, 9, 10) + timedelta(days=14 * n)) for n in range(20)]
        make_event("Next year", day=date(2027, 9, 10))
        make_event("Off", day=FEBRUARY, status=EventStatus.CANCELLED)
        make_event("Return", day=FEBRUARY, kind=Kind.DEADLINE)
        make_event("Coffee", day=FEBRUARY, category_id=make_category("Coffee morning").id)
    found = {}
    for number in (0, 10, 19):
        steps = re.search(r'<ol class="steps">(.*?)</ol>', client.get(events[number].path).text, re.DOTALL)[1]
        found[number] = [int(n) for n in re.findall(r"Forum \((\d+)\)", steps)]
        assert re.findall(r'aria-current="true"><span>[^<]*· (Forum \(\d+\))', steps) == [f"Forum ({number})"]
    assert found == {0: list(range(12)), 10: list(range(4, 16)), 19: list(range(8, 20))}


def test_one_who_may_manage_it_is_led_there(app: Flask, client: FlaskClient) -> None:
    event = make_one(app, status=EventStatus.DRAFT)
    sign_in_as(app, client, "organiser")
    page = client.get(event.path)
    assert "This event has not been published yet, so it cannot be booked." in text_of(page)
    assert (f'href="/manage/events/{event.id}/"' in page.text, ".ics" in page.text) == (True, False)


# Ways on.


@pytest.mark.parametrize(
    "address", ["/nothing-here", "/events/999/", "/events/999-forum/", "/calendar/2026-28/", "/events/x/"]
)
def test_what_is_not_found_offers_a_way_on(client: FlaskClient, address: str) -> None:
    page = client.get(address)
    assert (page.status_code, re.findall(r"<h1>(.*?)</h1>", page.text)) == (404, ["Page not found"])
    main = page.text[page.text.index("<main") :]
    for way in ('href="/"', 'href="/calendar/"', 'href="/my/"', 'href="/contact"', 'action="/events/"'):
        assert way in main


def test_pages_of_a_partnership_without_events_say_so(app: Flask, client: FlaskClient) -> None:
    said = {
        "/": "Nothing is planned yet. The year planner shows what has been.",
        "/events/": "Nothing found Try fewer filters, or look at the whole year .",
        "/calendar/": "Nothing planned",
        "/feeds/": "All dates",
    }
    for address, words in said.items():
        page = client.get(address)
        assert (page.status_code, words in text_of(page)) == (200, True)
    feed = client.get("/feeds/calendar.ics")
    assert (feed.status_code, summaries(feed)) == (200, set())
    assert "For schools no dates to come" in text_of(client.get("/"))


# How much it costs.


@pytest.mark.parametrize(
    "address",
    ["/", "/events/", "/events/?q=forum&category=kind-0&audience=audience-0", YEARS, "EVENT", "/feeds/calendar.ics"],
)
@pytest.mark.parametrize("reader", ["anybody", "organiser"])
def test_a_longer_list_takes_no_more_statements(app: Flask, client: FlaskClient, address: str, reader: str) -> None:
    def add(number: int) -> str:
        with app.app_context():
            category = make_category(f"Kind {number}") if address != "EVENT" else make_category("Forum")
            event = make_event(
                f"Forum {number}",
                category_id=category.id,
                venue_id=make_venue(f"Hall {number}").id,
                audiences=[*db.session.query(Audience), make_audience(f"Audience {number}")],
                day=FEBRUARY + timedelta(days=number),
            )
            make_booking(event)
            make_booking(event, status=PlaceStatus.WAITING)
            make_event(f"Forum return {number}", kind=Kind.DEADLINE, category_id=category.id, venue_id=event.venue_id)
            return event.path

    def cost() -> int:
        with statements(app) as seen:
            assert client.get(path if address == "EVENT" else address).status_code == 200
        return len(seen)

    sign_in_as(app, client, reader)
    path = add(0)
    with_one = cost()
    for number in (1, 2):
        add(number)
    assert cost() == with_one
    assert with_one <= 14


@pytest.mark.both_databases
@pytest.mark.parametrize("words", ["CAF%C3%89", "caf%C3%A9"])
def test_words_are_found_whatever_the_case_of_their_accented_letters(app: Flask, client: FlaskClient, words) -> None:
    with app.app_context():
        make_event("Parent Café")
    assert "Parent Café" in client.get(f"/events/?q={words}").text


def test_a_kind_that_is_the_teams_own_is_not_named_to_others(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        secret = make_category("Safeguarding board", visibility=Visibility.TEAM)
        shown = make_category("Imported", visibility=Visibility.TEAM)
        make_event(category_id=secret.id, visibility=Visibility.TEAM)
        make_event("For everyone", category_id=shown.id)
    for path in ("/events/", "/calendar/", "/feeds/calendar.ics"):
        assert client.get(f"{path}?category=safeguarding-board").status_code == 400
        assert "Safeguarding board" not in client.get(path).text
        assert (
            "For everyone" in client.get(f"{path}?category=imported").text.replace("\r\n ", "") or path == "/calendar/"
        )
