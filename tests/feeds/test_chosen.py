"""What the address of a public feed chooses: read with care, written one way, and what calendars call it."""

from typing import Any

import icalendar
import pytest
from flask import Flask
from flask.testing import FlaskClient

from booking.calendar.models import Event, EventStatus, Visibility
from booking.core.db import db
from booking.directory.models import Area
from tests.factories import make_audience, make_category, make_event

BASE = "http://calendar.example.org"
# What calendars, proxies, mail programs and counters of visits add to addresses.
ADDED = ("_", "t", "ts", "v", "cb", "nocache", "utm_source", "utm_term", "fbclid", "gclid", "mc_cid", "ref", "source")
ADDED += ("format", "ical", "download", "timestamp", "tz", "lang", "date", "key", "s", "theme", "origin", "forum")
ADDED += ("read", "arena", "utm_category", "camp_audience")


def feed(client: FlaskClient, address: str) -> icalendar.Calendar:
    answer = client.get(address)
    assert answer.status_code == 200, answer.text
    return icalendar.Calendar.from_ical(answer.data)


def titles(client: FlaskClient, address: str) -> list[str]:
    return sorted(str(event["SUMMARY"]) for event in feed(client, address).walk("VEVENT"))


@pytest.fixture
def two_kinds(app: Flask) -> None:
    """A forum for SENCos, one for heads, and a coffee morning for anyone."""
    with app.app_context():
        make_event("Forum for SENCos", audiences=[make_audience("SENCos")], in_days=10)
        make_event("Forum for heads", audiences=[make_audience("Heads")], in_days=20)
        make_event("Coffee", category_id=make_category("Coffee morning", position=1).id)


@pytest.mark.usefixtures("two_kinds")
def test_the_feed_of_a_kind_takes_the_other_filters_of_the_list(app: Flask, client: FlaskClient) -> None:
    kind = "/feeds/senco-forum.ics"
    with app.app_context():
        area = db.session.query(Area).one()
        first = make_event("Forum", in_days=30).day
        area.calendar_changed_at = area.calendar_changed_at.replace(year=2020)  # so that answers are kept
        db.session.commit()
    for _ in range(2):
        assert titles(client, kind) == ["Forum", "Forum for SENCos", "Forum for heads"]
        assert titles(client, f"{kind}?audience=sencos") == ["Forum", "Forum for SENCos"]
        assert titles(client, f"{kind}?q=heads") == ["Forum for heads"]
        assert titles(client, f"{kind}?from={first}") == ["Forum"]
        assert titles(client, f"{kind}?to={first}&q=for+heads") == ["Forum for heads"]
        assert client.get(f"{kind}?audience=nobody").status_code == 400


@pytest.mark.usefixtures("two_kinds")
@pytest.mark.parametrize("query", ["category=coffee-morning", "category=senco-forum&category=coffee-morning"])
def test_the_feed_of_a_kind_refuses_another(client: FlaskClient, query: str) -> None:
    answer = client.get(f"/feeds/senco-forum.ics?{query}")
    assert (answer.status_code, answer.text) == (
        400,
        "This is the calendar of one kind, SENCo forum: it has no other.\n",
    )


@pytest.mark.usefixtures("two_kinds")
@pytest.mark.parametrize(
    ("asked", "source"),
    [
        ("senco-forum.ics", "senco-forum.ics"),
        ("senco-forum.ics?category=senco-forum&q=", "senco-forum.ics"),
        ("senco-forum.ics?q=heads&category=senco-forum&audience=heads", "senco-forum.ics?audience=heads&q=heads"),
        ("calendar.ics?area=vale-marsh&utm=1", "calendar.ics"),
        (
            "calendar.ics?category=senco-forum&category=coffee-morning&category=senco-forum",
            "calendar.ics?category=coffee-morning&category=senco-forum",
        ),
        ("calendar.ics?q=+forum&q=for&from=20260901", "calendar.ics?from=2026-09-01&q=forum+for"),
        pytest.param(f"calendar.ics?q={'a' * 3000}", f"calendar.ics?q={'a' * 100}", id="a long search"),
    ],
)
def test_a_feed_says_the_shortest_address_of_what_was_chosen(client: FlaskClient, asked: str, source: str) -> None:
    assert str(feed(client, f"/feeds/{asked}")["SOURCE"]) == f"{BASE}/feeds/{source}"
    assert feed(client, f"/feeds/{source}").to_ical() == feed(client, f"/feeds/{asked}").to_ical()


@pytest.mark.usefixtures("two_kinds")
@pytest.mark.parametrize(
    ("name", "meant"),
    [
        ("categry", "category"),
        ("category[]", "category"),
        ("category[0]", "category"),
        ("categories", "category"),
        ("Category", "category"),
        ("kategory", "category"),
        ("audiences", "audience"),
        ("audiance", "audience"),
        ("areas", "area"),
        ("form", "from"),
        ("TO", "to"),
        ("q[]", "q"),
    ],
)
def test_a_filter_with_a_mistyped_name_is_refused_and_said(client: FlaskClient, name: str, meant: str) -> None:
    for address in ("/feeds/calendar.ics", "/feeds/senco-forum.ics"):
        answer = client.get(address, query_string={name: "senco-forum"})
        sentence = f"There is no filter called “{name}”: it should be “{meant}”.\n"
        assert (answer.status_code, answer.text, answer.headers["Cache-Control"]) == (400, sentence, "no-store")
    assert len(titles(client, f"/feeds/calendar.ics?{name}=")) == 3  # which chooses nothing


@pytest.mark.usefixtures("two_kinds")
@pytest.mark.parametrize("name", [*ADDED, "when", "free", "page"])
def test_a_name_that_is_like_no_filter_is_somebody_elses(client: FlaskClient, name: str) -> None:
    assert len(titles(client, f"/feeds/calendar.ics?{name}=1")) == 3


@pytest.mark.usefixtures("two_kinds")
@pytest.mark.parametrize(
    ("asked", "name"),
    [
        ("calendar.ics", "Vale & Marsh SEND Partnership"),
        ("calendar.ics?when=past&utm=1", "Vale & Marsh SEND Partnership"),
        ("senco-forum.ics", "SENCo forum – Vale & Marsh"),
        ("senco-forum.ics?audience=sencos", "SENCo forum for SENCos – Vale & Marsh"),
        ("calendar.ics?category=senco-forum&audience=sencos", "SENCo forum for SENCos – Vale & Marsh"),
        (
            "calendar.ics?category=coffee-morning&category=senco-forum&audience=heads&audience=sencos",
            "SENCo forum + Coffee morning for Heads + SENCos – Vale & Marsh",
        ),
        ("calendar.ics?q=forum+for", "“forum for” – Vale & Marsh"),
        (
            "calendar.ics?from=2026-09-01&to=2027-07-31",
            "from 1 September 2026 until 31 July 2027 – Vale & Marsh",
        ),
    ],
)
def test_calendars_call_a_feed_by_what_was_chosen(client: FlaskClient, asked: str, name: str) -> None:
    found = feed(client, f"/feeds/{asked}")
    assert (str(found["NAME"]), str(found["X-WR-CALNAME"])) == (name, name)


@pytest.mark.usefixtures("two_kinds")
def test_the_name_of_a_feed_is_never_longer_than_calendars_show(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        db.session.query(Area).one().short_name = "s" * 60
        db.session.commit()
    name = str(feed(client, f"/feeds/calendar.ics?category=senco-forum&q={'a' * 100}")["NAME"])
    assert len(name) == 120
    assert name == f"SENCo forum “{'a' * 43}… – {'s' * 60}"


@pytest.mark.parametrize("hidden", [{"visibility": Visibility.STAFF}, {"status": EventStatus.DRAFT}])
def test_a_kind_that_everybody_sees_empties_its_calendar_when_nothing_of_it_is_public_any_more(
    app: Flask, client: FlaskClient, hidden: dict[str, Any]
) -> None:
    with app.app_context():
        event = make_event()
    address = "/feeds/senco-forum.ics"
    first = client.get(address)
    with app.app_context():
        for name, value in hidden.items():
            setattr(db.session.get_one(Event, event.id), name, value)
        db.session.commit()
    empty = feed(client, address)
    assert (str(empty["NAME"]), empty.walk("VEVENT")) == ("SENCo forum – Vale & Marsh", [])
    assert client.get(address, headers={"If-None-Match": first.headers["ETag"]}).status_code == 200
    assert client.get("/feeds/senco-forum/").status_code == 200


def test_a_kind_that_is_the_teams_own_is_told_to_nobody(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        for visibility in (Visibility.STAFF, Visibility.TEAM):
            kind = make_category(f"Secret {visibility}", visibility=visibility)
            make_event("Behaviour board", visibility=visibility, category_id=kind.id)
        make_event("Draft", status=EventStatus.DRAFT, category_id=kind.id)
    never = client.get("/feeds/nothing.ics")
    for slug in ("secret-staff", "secret-team"):
        for address in (f"/feeds/{slug}.ics", f"/feeds/{slug}/", f"/feeds/{slug}.ics?category={slug}"):
            answer = client.get(address)
            assert (answer.status_code, "Secret" in answer.text) == (404, False)
        assert client.get(f"/feeds/{slug}.ics").text == never.text
        assert client.get(f"/feeds/calendar.ics?category={slug}").status_code == 400
