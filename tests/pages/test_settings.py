"""What organisers set once, by posting real forms."""

import re
from datetime import date, time, timedelta

import pytest
from flask import Flask
from flask.testing import FlaskClient

from booking.calendar import queries
from booking.calendar.models import Audience, Category, Event, EventStatus, Kind, Venue, Visibility
from booking.core.audit import AuditEntry
from booking.core.clock import now
from booking.core.db import db
from booking.directory.models import Area
from booking.reminders.models import ReminderRule
from tests.factories import make_audience, make_category, make_event, make_organiser, make_venue, sign_in, the_area


@pytest.fixture
def organiser(app: Flask, client: FlaskClient) -> FlaskClient:
    with app.app_context():
        sign_in(client, make_organiser())
    return client


def outcome(page) -> str:
    return re.search(r'<main[^>]*data-outcome="(\w+)"', page.text)[1]


def errors(page) -> list[tuple[str, str]]:
    summary = page.text.split("govuk-error-summary__list")[1].split("</ul>")[0]
    found = re.findall(r'<a href="#([^"]+)">([^<]+)</a>', summary)
    assert all(f'id="{field}"' in page.text for field, _ in found)
    return found


def test_the_partnership_is_named_and_every_page_says_so(app: Flask, organiser: FlaskClient) -> None:
    form = {"name": "Area 2 SEND", "short_name": "Area 2", "email": "hello@area2.example", "phone": "01632 960001"}
    page = organiser.post("/manage/settings/partnership", data=form, follow_redirects=True)
    assert (page.status_code, outcome(page)) == (200, "saved")
    assert "What is on for SEND in Area 2" in organiser.get("/").text
    contact = organiser.get("/contact").text
    assert "hello@area2.example" in contact
    assert "01632 960001" in contact
    with app.app_context():
        assert [entry.action for entry in db.session.query(AuditEntry)] == ["changed the partnership"]
    page = organiser.post("/manage/settings/partnership", data={**form, "name": " ", "email": "nobody"})
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert errors(page) == [
        ("name", "Enter the name"),
        ("email", "Enter an e-mail address like name@school.example"),
    ]
    assert 'value="nobody"' in page.text


def terms(**changed: str) -> dict[str, str]:
    days = [
        ("2026-09-01", "2026-10-23"),
        ("2026-11-02", "2026-12-18"),
        ("2027-01-04", "2027-02-12"),
        ("2027-02-22", "2027-03-25"),
        ("2027-04-12", "2027-05-28"),
        ("2027-06-07", "2027-07-21"),
    ]
    form = {
        f"{end}_{n}": day for n, pair in enumerate(days, 1) for end, day in zip(("first", "last"), pair, strict=True)
    }
    return {**form, **changed}


def test_half_terms_are_set_and_the_planner_counts_by_them(app: Flask, organiser: FlaskClient) -> None:
    assert "likely dates, not known ones" in organiser.get("/manage/settings/half-terms/2026-27").text
    for form in (terms(), terms(last_6="2027-07-20")):
        page = organiser.post("/manage/settings/half-terms/2026-27", data=form, follow_redirects=True)
        assert outcome(page) == "saved"
    with app.app_context():
        known = queries.known_half_terms(the_area().id, 2026)
        assert [(term.number, term.first_day, term.last_day) for term in known][::5] == [
            (1, date(2026, 9, 1), date(2026, 10, 23)),
            (6, date(2027, 6, 7), date(2027, 7, 20)),
        ]
    assert "7 June to 20 July" in organiser.get("/calendar/2026-27/").text


@pytest.mark.parametrize(
    ("changed", "field", "sentence"),
    [
        ({"first_3": ""}, "first_3", "Enter the first school day of half term 3"),
        ({"first_3": "4 January"}, "first_3", "This is not a date. Write it like 2026-11-23"),
        ({"first_1": "2026-07-30"}, "first_1", "Half term 1 is not in the school year 2026-27."),
        ({"first_2": "2026-12-19"}, "first_2", "Half term 2 ends before it begins."),
        ({"first_2": "2026-10-23"}, "first_2", "Half term 2 begins before the one before it ends."),
    ],
)
def test_half_terms_that_cannot_be_are_refused_and_change_nothing(
    app: Flask, organiser: FlaskClient, changed, field, sentence
) -> None:
    page = organiser.post("/manage/settings/half-terms/2026-27", data=terms(**changed))
    assert outcome(page) in {"invalid", "refused"}
    assert errors(page) == [(field, sentence)]
    with app.app_context():
        assert queries.known_half_terms(the_area().id, 2026) == []


def test_a_new_kind_has_an_address_of_its_own_and_the_usual_reminders(app: Flask, organiser: FlaskClient) -> None:
    form = {"name": "My calendar", "letters": "mc", "colour": "3", "visibility": "public"}
    assert outcome(organiser.post("/manage/settings/kinds/new", data=form, follow_redirects=True)) == "saved"
    organiser.post("/manage/settings/kinds/new", data={**form, "name": "My"})
    with app.app_context():
        kinds = db.session.query(Category).order_by(Category.id).all()
        assert [(one.slug, one.name, one.letters, one.colour) for one in kinds] == [
            ("my-calendar", "My calendar", "MC", 3),
            ("my-2", "My", "MC", 3),
        ]
        rules = db.session.query(ReminderRule).filter_by(category_id=kinds[0].id)
        assert sorted((rule.number, rule.at) for rule in rules) == [(1, time(8, 0)), (7, time(8, 0))]
    again = organiser.post("/manage/settings/kinds/new", data={**form, "name": "MY  calendar"})
    assert (again.status_code, outcome(again)) == (409, "refused")
    assert errors(again) == [("name", "There is one called MY calendar already.")]
    wrong = organiser.post("/manage/settings/kinds/new", data={**form, "name": "", "letters": "1", "colour": "99"})
    assert (wrong.status_code, [field for field, _ in errors(wrong)]) == (422, ["name", "letters", "colour"])


def test_drafts_follow_their_kind_only_if_asked_and_what_is_published_never_does(
    app: Flask, organiser: FlaskClient
) -> None:
    with app.app_context():
        kind = make_category("Forum", visibility=Visibility.TEAM)
        given = {"category_id": kind.id, "visibility": Visibility.TEAM, "takes_bookings": False, "capacity": None}
        ids = [
            make_event("Draft", status=EventStatus.DRAFT, **given).id,
            make_event("Says team itself", status=EventStatus.DRAFT, own_visibility=True, **given).id,
            make_event("On", **given).id,
        ]
    path = f"/manage/settings/kinds/{kind.id}"

    def seen() -> list[tuple[str, bool, int]]:
        with app.app_context():
            events = (db.session.get(Event, event_id) for event_id in ids)
            return [(str(event.visibility), event.takes_bookings, event.sequence) for event in events]

    form = {"name": "Forum", "letters": "FO", "colour": "1", "visibility": "public"}
    organiser.post(path, data=form)
    assert seen() == [("team", False, 0), ("team", False, 0), ("team", False, 0)]
    assert outcome(organiser.post(path, data={**form, "with_drafts": "y"}, follow_redirects=True)) == "saved"
    assert seen() == [("public", True, 0), ("team", False, 0), ("team", False, 0)]
    assert re.findall(r'ev__title"><a[^>]*>([^<]+)', app.test_client().get("/events/").text) == []


def test_an_audience_and_a_venue_are_added_and_changed(app: Flask, organiser: FlaskClient) -> None:
    with app.app_context():
        audience, venue = make_audience("SENCos"), make_venue("Oak Suite")
        event = make_event(venue_id=venue.id)
    organiser.post(f"/manage/settings/audiences/{audience.id}", data={"name": "SEN co-ordinators"})
    organiser.post("/manage/settings/audiences/new", data={"name": "Parents and carers", "is_families": "y"})
    place = {"name": "Oak Suite", "address": "Long Meadow, Marsham", "directions": "Step-free\r\nRing twice"}
    organiser.post(f"/manage/settings/venues/{venue.id}", data=place)
    organiser.post("/manage/settings/venues/new", data={"name": "Zoom", "is_online": "y"})
    with app.app_context():
        assert [(one.slug, one.name, one.is_families) for one in db.session.query(Audience).order_by(Audience.id)] == [
            ("sencos", "SEN co-ordinators", False),
            ("parents-and-carers", "Parents and carers", True),
        ]
        assert [(one.name, one.directions, one.is_online) for one in db.session.query(Venue).order_by(Venue.id)] == [
            ("Oak Suite", "Step-free\nRing twice", False),
            ("Zoom", "", True),
        ]
    assert "Oak Suite, Long Meadow, Marsham" in organiser.get(f"/events/{event.id}-senco-forum-1/").text
    for path in ("audiences/new", "venues/new"):
        refused = organiser.post(
            f"/manage/settings/{path}", data={"name": "zoom" if "venue" in path else "sen  CO-ordinators"}
        )
        assert (refused.status_code, outcome(refused)) == (409, "refused")
        empty = organiser.post(f"/manage/settings/{path}", data={"name": " "})
        assert errors(empty) == [("name", "Enter a name")]


def test_how_many_a_room_holds_is_set_shown_and_taken_away_again(app: Flask, organiser: FlaskClient) -> None:
    with app.app_context():
        venue = make_venue("Oak Suite")
    path = f"/manage/settings/venues/{venue.id}"

    def room() -> int | None:
        with app.app_context():
            return db.session.get(Venue, venue.id).capacity

    assert "holds" not in organiser.get("/manage/settings/").text
    page = organiser.post(path, data={"name": "Oak Suite", "capacity": "40"}, follow_redirects=True)
    assert (outcome(page), room(), "holds 40" in page.text) == ("saved", 40, True)
    assert re.search(r'name="capacity"[^>]*value="40"', organiser.get(path).text)
    for wrong, sentence in (("0", "Enter a number from 1 to 100,000"), ("forty", "Enter a whole number, like 30")):
        page = organiser.post(path, data={"name": "Oak Suite", "capacity": wrong})
        assert (page.status_code, errors(page), room()) == (422, [("capacity", sentence)], 40)
        assert f'value="{wrong}"' in page.text
    organiser.post(path, data={"name": "Oak Suite", "capacity": ""})
    assert room() is None


def test_a_venues_place_on_the_map_is_shown_wherever_somebody_looks_for_the_way(
    app: Flask, organiser: FlaskClient
) -> None:
    with app.app_context():
        venue = make_venue("Oak Suite", address="Long Meadow")
        event = make_event(venue_id=venue.id, changed_at=now() - timedelta(days=1))
    path, there = f"/manage/settings/venues/{venue.id}", "https://www.openstreetmap.org/?mlat=51.752&amp;mlon=-0.336"
    pages = (event.path, "/manage/settings/")
    assert not any(there in organiser.get(page).text for page in pages)
    before = organiser.get("/feeds/calendar.ics").text
    pasted = {"name": "Oak Suite", "address": "Long Meadow", "position": "https://maps.example/@51.7520,-0.3360,17z"}
    assert outcome(organiser.post(path, data=pasted, follow_redirects=True)) == "saved"
    assert all(there in organiser.get(page).text for page in pages)
    assert re.search(r'name="position"[^>]*value="51.752, -0.336"', organiser.get(path).text)
    feed = organiser.get("/feeds/calendar.ics").text
    assert ("GEO:" in before, "GEO:51.752;-0.336\r\n" in feed, "SEQUENCE:1\r\n" in feed) == (False, True, True)
    shown = organiser.get(f"/api/v1/events/{event.id}").json["venue"]
    assert (shown["latitude"], shown["longitude"]) == (51.752, -0.336)
    for wrong, sentence in (
        ("-0.336, 51.752", "This is not in Britain. Write how far north first: 51.7520, -0.3360"),
        ("AL1 3JE", "Write two numbers, like 51.7520, -0.3360, or paste the address of the place on a map"),
    ):
        page = organiser.post(path, data={**pasted, "position": wrong})
        assert (page.status_code, errors(page)) == (422, [("position", sentence)])
        assert f'value="{wrong}"' in page.text
    page = organiser.post(path, data={**pasted, "is_online": "y"})
    assert (page.status_code, errors(page)) == (409, [("position", "What is on line has no place on a map.")])
    assert "GEO:51.752;-0.336\r\n" in organiser.get("/feeds/calendar.ics").text
    organiser.post(path, data={**pasted, "position": ""})
    assert not any(there in organiser.get(page).text for page in pages)


def test_settings_of_another_area_do_not_exist(app: Flask, organiser: FlaskClient) -> None:
    for path in ("kinds", "audiences", "venues"):
        assert organiser.get(f"/manage/settings/{path}/999").status_code == 404
    assert organiser.get("/manage/settings/half-terms/2026-28").status_code == 404
    assert organiser.get("/manage/settings/").status_code == 200


def test_a_session_of_a_fresh_installation_can_be_booked_after_the_first_settings(
    app: Flask, organiser: FlaskClient
) -> None:
    organiser.post(
        "/manage/settings/kinds/new", data={"name": "Forum", "letters": "FO", "colour": "1", "visibility": "public"}
    )
    with app.app_context():
        kind = db.session.query(Category).one()
        day = date.today() + timedelta(days=20)
        assert db.session.query(Area).count() == 1
    form = {
        "title": "First forum",
        "category": kind.id,
        "kind": Kind.SESSION.value,
        "visibility": "public",
        "day": str(day),
    }
    form |= {"starts": "13:30", "takes_bookings": "y", "capacity": "20", "places_per_booking": "3", "revision": "0"}
    made = organiser.post("/manage/events/new", data=form)
    organiser.post(made.headers["Location"] + "publish")
    guest = app.test_client().get("/").text
    assert "First forum" in guest
    assert "20 places left" in guest
