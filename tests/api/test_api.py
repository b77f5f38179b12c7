"""The public calendar as JSON: what everybody may know, nothing else, and as its own description says."""

from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import pytest
import schemathesis
import time_machine
from flask import Flask
from flask.testing import FlaskClient
from hypothesis import HealthCheck, given, settings
from schemathesis.checks import not_a_server_error
from schemathesis.specs.openapi.checks import response_schema_conformance, status_code_conformance

from booking.api import schemas
from booking.bookings.models import PlaceStatus
from booking.calendar.models import EventStatus, Kind, Visibility, WhoMayBook
from booking.core.db import db
from tests.factories import (
    make_area,
    make_audience,
    make_booking,
    make_category,
    make_event,
    make_organiser,
    make_venue,
    sign_in,
)

BASE = "http://calendar.example.org"


@pytest.fixture(autouse=True)
def _a_day_in_term() -> Iterator[None]:
    with time_machine.travel(datetime(2026, 11, 24, 10, 0, tzinfo=UTC), tick=False):
        yield


def titles(client: FlaskClient, query: str = "") -> list[str]:
    answer = client.get(f"/api/v1/events{query}")
    assert (answer.status_code, answer.mimetype) == (200, "application/json")
    return [event["title"] for event in answer.json["events"]]


def test_it_says_where_to_go_from_here(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_area()
    assert client.get("/api/v1/").json == {
        "events": f"{BASE}/api/v1/events",
        "openapi": f"{BASE}/api/v1/openapi.json",
        "area": {"slug": "vale-marsh", "name": "Vale & Marsh SEND Partnership"},
    }


def test_an_event_is_given_whole_with_the_times_on_the_wall_and_the_instants(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event(
            "Sensory circuits 🎪",
            day=date(2027, 6, 14),
            starts=time(9, 30),
            ends=time(11, 0),
            venue_id=make_venue("Oak Suite", address="Long Meadow, Marsham").id,
            description="Bring **shoes**.",
            cost="£20",
            joining_link="https://meet.example/secret",
            closes_at=datetime(2027, 6, 11, 16, 0, tzinfo=UTC),
        )
        event.audiences = [make_audience("SENCos")]
        make_booking(event, "Priya Nair", "priya@school.example")
        uid = event.uid
        db.session.commit()
    answer = client.get(f"/api/v1/events/{event.id}")
    assert answer.json == {
        "id": event.id,
        "uid": uid,
        "title": "Sensory circuits 🎪",
        "kind": "session",
        "status": "published",
        "cancel_note": "",
        "category": {"slug": "senco-forum", "name": "SENCo forum"},
        "audiences": [{"slug": "sencos", "name": "SENCos"}],
        "day": "2027-06-14",
        "last_day": None,
        "starts": "09:30",
        "ends": "11:00",
        "starts_at": "2027-06-14T09:30:00+01:00",
        "venue": {
            "name": "Oak Suite",
            "address": "Long Meadow, Marsham",
            "is_online": False,
            "latitude": None,
            "longitude": None,
        },
        "closes_for": None,
        "description": "Bring **shoes**.",
        "cost": "£20",
        "url": f"{BASE}/events/{event.id}-sensory-circuits/",
        "ics_url": f"{BASE}/events/{event.id}.ics",
        "changed_at": "2026-11-24T10:00:00+00:00",
        "booking": {
            "state": "open",
            "sentence": "There are places.",
            "url": f"{BASE}/events/{event.id}/book",
            "opens_at": None,
            "closes_at": "2027-06-11T17:00:00+01:00",
            "capacity": 30,
            "places_left": 29,
        },
    }
    assert client.get("/api/v1/events").json["events"] == [answer.json]


def test_who_is_signed_in_sees_no_more_than_anybody(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Public")
        make_event("Off", status=EventStatus.CANCELLED, cancel_note="The hall is flooded.")
        hidden = [
            make_event("Staff", visibility=Visibility.STAFF),
            make_event("Team", visibility=Visibility.TEAM),
            make_event("Draft", status=EventStatus.DRAFT),
        ]
        sign_in(client, make_organiser())
    assert titles(client) == ["Off", "Public"]
    for event in hidden:
        answer = client.get(f"/api/v1/events/{event.id}")
        assert (answer.status_code, answer.json) == (404, {"error": "There is no public event of this number."})


def test_a_private_event_gives_no_numbers_and_nobody_is_named(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event("Coffee", private=True, capacity=5)
        before = client.get(f"/api/v1/events/{event.id}").data
        make_booking(event, "Priya Nair", "priya@school.example")
    answer = client.get(f"/api/v1/events/{event.id}")
    assert (answer.json["booking"]["capacity"], answer.json["booking"]["places_left"]) == (None, None)
    assert answer.data == before


def test_nobody_learns_that_somebody_waits_for_a_private_event(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event("Talk in confidence", private=True, capacity=2)
        other = make_event("Open talk", capacity=2)
    paths = [f"/api/v1/events/{event.id}", "/api/v1/events?q=confidence"]
    before = [client.get(path).data for path in paths]
    with app.app_context():
        for one in (event, other):
            make_booking(one, "Zed Obi", status=PlaceStatus.WAITING)
    assert [client.get(path).data for path in paths] == before
    shown = client.get(f"/api/v1/events/{other.id}").json["booking"]
    assert shown["sentence"] == "Some people are waiting for more places than are free at once."


def test_what_nobody_books_has_no_booking_and_what_has_no_time_no_instant(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event("Census", kind=Kind.MILESTONE, starts=None)
    shown = client.get(f"/api/v1/events/{event.id}").json
    assert (shown["booking"], shown["starts"], shown["starts_at"]) == (None, None, None)


def test_an_event_by_invitation_does_not_give_its_link_away(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        event = make_event(who_may_book=WhoMayBook.INVITED, invitation_key="A" * 24)
    answer = client.get(f"/api/v1/events/{event.id}")
    assert (answer.json["booking"]["state"], "AAAA" in answer.text) == ("invited", False)


def test_the_filters_are_those_of_the_list(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        for_sencos = make_event("SENCo forum")
        for_sencos.audiences = [make_audience("SENCos")]
        make_event("Coffee morning", category_id=make_category("Coffee morning").id, in_days=2)
        make_event("Long ago", in_days=-90)
        make_event("Full", capacity=0, in_days=3)
        for_parents = make_event("For parents", in_days=4)
        for_parents.audiences = [make_audience("Parents")]
        db.session.commit()
    assert titles(client) == ["Coffee morning", "Full", "For parents", "SENCo forum"]
    assert titles(client, "?category=coffee-morning") == ["Coffee morning"]
    assert titles(client, "?category=coffee-morning&category=senco-forum&q=for") == ["For parents", "SENCo forum"]
    assert titles(client, "?audience=sencos") == ["Coffee morning", "Full", "SENCo forum"]
    assert titles(client, "?when=past") == ["Long ago"]
    assert titles(client, "?free=1&area=vale-marsh") == ["Coffee morning", "For parents", "SENCo forum"]
    assert titles(client, "?from=2026-08-01&to=2026-11-28") == ["Long ago", "Coffee morning", "Full", "For parents"]


@pytest.mark.parametrize(
    ("query", "field", "says"),
    [
        ("?category=chess", "category", "no kind of event called “chess”"),
        ("?audience=chess", "audience", "no audience called “chess”"),
        ("?area=elsewhere", "area", "no area called “elsewhere”"),
        ("?from=tomorrow", "from", "“tomorrow” is not a date"),
        ("?from=2027-01-02&to=2027-01-01", "from", "Swap them"),
        ("?when=now", "when", "“now” is not something to choose"),
        ("?catgory=senco-forum", "catgory", "no filter called “catgory”. There are: area, audience, category, free,"),
        ("?page=0", "page", "“page” is a number from 1 to 10,000"),
        ("?page=two", "page", "“page” is a number"),
        ("?per_page=201", "per_page", "“per_page” is a number from 1 to 200"),
        ("?per_page=99999999999999999999", "per_page", "“per_page” is a number"),
    ],
)
def test_what_cannot_be_read_is_said_and_not_left_out(
    app: Flask, client: FlaskClient, query: str, field: str, says: str
) -> None:
    with app.app_context():
        make_event()
    answer = client.get(f"/api/v1/events{query}")
    assert (answer.status_code, answer.json["field"], answer.headers["Cache-Control"]) == (400, field, "no-store")
    assert says in answer.json["error"]
    assert client.get(f"/api/v1/events/1{query}").status_code == 400


@pytest.mark.parametrize("query", ["q=" + "a" * 10_000, "q=" + "a+" * 5_000, "&".join(["q=a"] * 3_000)], ids=len)
def test_a_query_of_any_length_is_answered(app: Flask, client: FlaskClient, query: str) -> None:
    with app.app_context():
        make_event()
    for path in ("/api/v1/events", "/events/", "/feeds/calendar.ics", "/feeds/calendar/", "/feeds/senco-forum/"):
        assert client.get(f"{path}?{query}").status_code == 200


def test_the_pages_hold_each_event_once_and_lead_to_one_another(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        for number in range(5):
            make_event(f"Forum {number}", in_days=number + 1)
        make_event("Coffee")
    seen, path = [], "/api/v1/events?q=forum&per_page=2"
    while path:
        page = client.get(path).json
        seen.append([event["title"] for event in page["events"]])
        assert (page["total"], page["pages"], page["page"]) == (5, 3, len(seen))
        path = (page["next"] or "").removeprefix(BASE)
    assert seen == [["Forum 0", "Forum 1"], ["Forum 2", "Forum 3"], ["Forum 4"]]
    assert page["previous"] == f"{BASE}/api/v1/events?q=forum&per_page=2&page=2"
    beyond = client.get("/api/v1/events?q=forum&per_page=2&page=9").json
    assert (beyond["events"], beyond["next"]) == ([], None)
    assert beyond["previous"] == f"{BASE}/api/v1/events?q=forum&per_page=2&page=3"


@pytest.mark.parametrize("encoding", ["identity", "gzip", "br"])
def test_who_has_it_is_told_so_until_it_changes(app: Flask, client: FlaskClient, encoding: str) -> None:
    with app.app_context():
        make_event("Forum " * 30)  # so long that it is worth compressing
    headers = {"Accept-Encoding": encoding}
    first = client.get("/api/v1/events", headers=headers)
    assert first.headers.get("Content-Encoding", "identity") == encoding
    headers["If-None-Match"] = first.headers["ETag"]
    again = client.get("/api/v1/events", headers=headers)
    assert (again.status_code, again.data, again.headers["ETag"]) == (304, b"", first.headers["ETag"])
    with app.app_context():
        make_event("Another")
    assert client.get("/api/v1/events", headers=headers).status_code == 200


def test_any_website_and_any_cache_may_have_it_and_no_cookie_comes_with_it(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
        sign_in(client, make_organiser())
    for method in (client.get, client.head):
        headers = method("/api/v1/events").headers
        assert (headers["Access-Control-Allow-Origin"], headers["Cache-Control"]) == ("*", "public, max-age=60")
        assert ("Set-Cookie" in headers, "Cookie" in headers.get("Vary", "")) == (False, False)


def test_the_script_of_another_website_may_ask_whether_it_is_still_so(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
    origin = {"Origin": "https://school.example"}
    asks_first = {"Access-Control-Request-Method": "GET", "Access-Control-Request-Headers": "if-none-match"}
    for path in ("/api/v1/", "/api/v1/events", "/api/v1/events/1", "/api/v1/openapi.json"):
        allowed = client.options(path, headers={**origin, **asks_first})
        assert (allowed.status_code, allowed.data, allowed.headers["Access-Control-Allow-Origin"]) == (200, b"", "*")
        assert allowed.headers["Access-Control-Allow-Headers"] == "If-None-Match"
        assert allowed.access_control_allow_methods.to_header() == "GET, HEAD"
        assert allowed.access_control_max_age == 86400
        first = client.get(path, headers=origin)
        assert first.headers["Access-Control-Expose-Headers"] == "ETag"
        assert "Access-Control-Allow-Headers" not in first.headers
    etag = client.get("/api/v1/events").headers["ETag"]
    again = client.get("/api/v1/events", headers={**origin, "If-None-Match": etag})
    assert (again.status_code, again.headers["Access-Control-Expose-Headers"]) == (304, "ETag")


@pytest.mark.parametrize(("method", "path", "status"), [("GET", "chess", 404), ("POST", "events", 405)])
def test_what_is_not_there_is_said_in_json_too(client: FlaskClient, method: str, path: str, status: int) -> None:
    answer = client.open(f"/api/v1/{path}", method=method)
    assert (answer.status_code, list(answer.json)) == (status, ["error"])


def test_the_description_is_in_words_of_ours_and_names_every_filter(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_area()
    found = client.get("/api/v1/openapi.json").json
    assert sorted(found["paths"]) == ["/api/v1/", "/api/v1/events", "/api/v1/events/{event_id}"]
    assert {one["name"] for one in found["paths"]["/api/v1/events"]["get"]["parameters"]} == {
        field.alias or name for name, field in schemas.Query.model_fields.items()
    }
    assert found["servers"] == [{"url": BASE}]
    assert sorted(found["components"]["schemas"]) == [
        *("Booking", "BookingCode", "Event", "Kind", "Named", "Page", "Problem", "Query", "Related", "Start", "Venue")
    ]


def test_what_a_closing_date_is_for_is_told_where_that_is_public_too(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        panel = make_event("Panel")
        closing = make_event("Closes", kind=Kind.DEADLINE, closes_for_id=panel.id)
        secret = make_event("Secret", visibility=Visibility.TEAM)
        other = make_event("Other", kind=Kind.DEADLINE, closes_for_id=secret.id)
    there = {"id": panel.id, "uid": panel.uid, "title": "Panel", "url": f"{BASE}{panel.path}"}
    assert client.get(f"/api/v1/events/{closing.id}").json["closes_for"] == there
    assert client.get(f"/api/v1/events/{other.id}").json["closes_for"] is None
    listed = {one["title"]: one["closes_for"] for one in client.get("/api/v1/events").json["events"]}
    assert listed == {"Panel": None, "Closes": there, "Other": None}


def test_answers_are_as_the_description_says_whatever_is_asked(app: Flask) -> None:
    with app.app_context():
        make_event("Forum", day=date(2027, 6, 14)).audiences = [make_audience("SENCos")]
        make_event("Private", private=True)
        make_event("Two days", last_day=date(2027, 2, 2), day=date(2027, 2, 1), venue_id=make_venue().id)
        make_event("Off", status=EventStatus.CANCELLED, cancel_note="Flooded")
        make_event("Closing", kind=Kind.DEADLINE, closes_for_id=make_event("Panel").id)
        make_event("Census", kind=Kind.MILESTONE, starts=None)
        make_event("Over", in_days=-3)
        make_event("Later", opens_at=datetime(2026, 12, 1, tzinfo=UTC), in_days=60)
        db.session.commit()
    described = schemathesis.openapi.from_wsgi("/api/v1/openapi.json", app)
    checks = [not_a_server_error, response_schema_conformance, status_code_conformance]
    answers = set()
    for found in described.get_all_operations():

        @given(case=found.ok().as_strategy())
        @settings(max_examples=60, deadline=None, suppress_health_check=list(HealthCheck))
        def ask(case: schemathesis.Case) -> None:
            answer = case.call_and_validate(checks=checks, headers={"Accept-Encoding": "identity"})
            answers.add((case.path, answer.status_code))

        ask()
    assert answers >= {
        ("/api/v1/", 200),
        ("/api/v1/events", 200),
        ("/api/v1/events", 400),
        ("/api/v1/events/{event_id}", 404),
    }
