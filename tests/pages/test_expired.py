"""A form whose page was open for too long, or whose session has ended: nothing happens, and nothing typed is lost."""

import re
from collections.abc import Iterator
from datetime import timedelta
from io import BytesIO
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings.models import Booking
from booking.calendar.models import Event, Kind
from booking.core.clock import now
from booking.core.db import db
from booking.digests.models import DigestIssue
from booking.reminders.models import Subscription
from tests.architecture.test_guards import address, browser, fill, guard_of, pages
from tests.databases import close, make_app
from tests.factories import make_area, make_category, make_event, make_organiser, make_school, sign_in
from tests.forms import Forms, outcome

NOTICE = "This page had been open too long.</b> Check your answers and send again."
HOURS = 13  # a token is good for twelve
HTTPS = "https://calendar.example.org"


def loaded(client: FlaskClient, path: str, action: str = "") -> dict[str, list[str]]:
    """Return the form of a page, with its token."""
    page = client.get(path)
    assert page.status_code == 200
    return Forms(page).forms[action or path.partition("?")[0]]


def sent(page: Any, action: str) -> dict[str, list[str]]:
    """Return what a form that came back would send, without its token."""
    form = Forms(page).forms[action]
    assert form.pop("csrf_token") != [""]
    return {name: values for name, values in form.items() if name}


def later(client: FlaskClient, path: str, form: dict[str, Any]) -> Any:
    """Send a form that was loaded thirteen hours ago, and go back in time, with the cookie of before."""
    cookie = client.get_cookie("session")
    with hours_later():
        page = client.post(path, data=form)
    client.set_cookie("session", cookie.value)
    return page


def hours_later() -> Any:
    return time_machine.travel(now() + timedelta(hours=HOURS))


def test_a_booking_comes_back_with_everybody_in_it_and_is_taken_the_second_time(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        event, school = make_event(places_per_booking=4), make_school("Oakhurst Primary")
    path = f"/events/{event.id}/book"
    typed = {"name": ["Priya Nair"], "email": ["p@school.example"], "school": [str(school.id)], "needs": ["A ramp"]}
    for number, name in enumerate(("Ada Obi", "Daniel Achebe", "Tom Okafor")):
        typed |= {f"places-{number}-name": [name], f"places-{number}-email": [f"{number}@school.example"]}
    form = {**loaded(client, path), **typed}
    with hours_later():
        page = client.post(path, data=form)
        assert (page.status_code, outcome(page), NOTICE in page.text) == (422, "invalid", True)
        back = Forms(page).forms[path]
        assert {name: back[name] for name in (*typed, "form_key")} == {**typed, "form_key": form["form_key"]}
        with app.app_context():
            assert db.session.query(Booking).count() == 0
        again = client.post(path, data=back, follow_redirects=True)
        assert (again.status_code, outcome(again), NOTICE in again.text) == (200, "confirmed", False)
    with app.app_context():
        assert len(db.session.query(Booking).one().places) == 4


def test_a_form_whose_session_is_gone_comes_back_and_is_taken_with_the_new_one(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_area()
    form = {**loaded(client, "/digest/subscribe"), "email": "p@school.example"}
    client.delete_cookie("session", domain="localhost")
    page = client.post("/digest/subscribe", data=form)
    assert (page.status_code, NOTICE in page.text, "allow cookies for this website" in page.text) == (422, True, True)
    back = Forms(page).forms["/digest/subscribe"]
    assert back["email"] == ["p@school.example"]
    assert outcome(client.post("/digest/subscribe", data=back)) == "saved"


@pytest.fixture
def organiser(app: Flask, client: FlaskClient) -> FlaskClient:
    with app.app_context():
        sign_in(client, make_organiser())
    return client


def test_the_form_of_an_event_comes_back_with_the_revision_that_was_seen(app: Flask, organiser: FlaskClient) -> None:
    with app.app_context():
        event = make_event()
    path = f"/manage/events/{event.id}/edit"
    form = {**loaded(organiser, path), "title": "A better title"}
    page = later(organiser, path, form)
    back = Forms(page).forms[path]
    assert (page.status_code, NOTICE in page.text) == (422, True)
    assert (back["title"], back["revision"]) == (["A better title"], form["revision"])
    with app.app_context():
        assert db.session.get_one(Event, event.id).title == "SENCo forum (1)"


def test_several_rows_of_reminders_come_back(app: Flask, organiser: FlaskClient) -> None:
    with app.app_context():
        category = make_category("Closing date")
    path = f"/manage/reminders/{category.id}"
    form = loaded(organiser, path)
    rows = {
        "rules-0-number": ["3"],
        "rules-0-when": ["days before"],
        "rules-1-number": ["2"],
        "rules-1-when": ["weeks before"],
    }
    more = {name: values for name, values in form.items() if name.startswith("rules-0-")}
    more |= {name.replace("-0-", "-1-"): values for name, values in more.items()}
    page = later(organiser, path, {**form, **more, **rows})
    back = Forms(page).forms[path]
    assert (page.status_code, NOTICE in page.text) == (422, True)
    assert {name: back[name] for name in rows} == rows


def test_ticks_and_an_introduction_come_back_too(app: Flask, organiser: FlaskClient) -> None:
    with app.app_context():
        kinds = [make_category(name).id for name in ("Closing date", "Coffee morning", "SENCo forum")]
        make_event(in_days=7)
    loaded(organiser, "/my/reminders")
    ticked = [str(kinds[0]), str(kinds[2])]
    page = later(organiser, "/my/reminders", {**loaded(organiser, "/my/reminders"), "kind": ticked})
    assert (page.status_code, NOTICE in page.text) == (422, True)
    assert sorted(Forms(page).forms["/my/reminders"]["kind"]) == sorted(ticked)
    form = {**loaded(organiser, "/manage/digest/"), "introduction": "Good morning\r\nall", "do": "save"}
    page = later(organiser, "/manage/digest/", form)
    assert (page.status_code, NOTICE in page.text) == (422, True)
    assert re.findall(r"Good morning\s+all\s*</textarea>", page.text)
    with app.app_context():
        assert (db.session.query(Subscription).count(), db.session.query(DigestIssue).count()) == (0, 0)


def test_a_file_cannot_come_back_and_the_page_says_so(organiser: FlaskClient) -> None:
    path = "/manage/schools/import"
    form = loaded(organiser, path)
    page = later(organiser, path, {**form, "file": (BytesIO(b"School,Name\nOak,Ada"), "contacts.csv")})
    assert (page.status_code, NOTICE in page.text) == (422, True)
    assert "Choose your file again: we could not keep it." in page.text


def test_what_has_no_page_of_its_own_is_kept_behind_a_button(app: Flask, organiser: FlaskClient) -> None:
    with app.app_context():
        event = make_event("A draft", status="draft")
    form = {"csrf_token": loaded(organiser, "/manage/events/?show=drafts", "/manage/events/publish")["csrf_token"]}
    form |= {"event": [str(event.id)]}
    page = later(organiser, "/manage/events/publish", form)
    assert (page.status_code, outcome(page), NOTICE in page.text) == (422, "invalid", True)
    assert sent(page, "/manage/events/publish") == {"event": [str(event.id)]}
    again = organiser.post("/manage/events/publish", data={"event": [str(event.id)]}, follow_redirects=True)
    assert again.status_code == 200
    with app.app_context():
        assert db.session.get_one(Event, event.id).status == "published"


def test_signing_out_by_an_old_page_is_asked_for_again_and_nobody_is_signed_out(organiser: FlaskClient) -> None:
    form = loaded(organiser, "/manage/", "/sign-out")
    page = later(organiser, "/sign-out", form)
    assert (page.status_code, NOTICE in page.text, "Signed in as" in page.text) == (422, True, True)
    assert organiser.get("/manage/").status_code == 200
    assert "You are signed out" in organiser.post("/sign-out", follow_redirects=True).text


def test_who_was_signed_out_keeps_what_they_typed_until_they_are_in_again(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        person, event = make_organiser(), make_event()
    sign_in(client, person)
    path = f"/manage/events/{event.id}/cancel"
    form = {**loaded(client, path), "note": "The hall is flooded.\r\nWe are sorry."}
    client.delete_cookie("session", domain="localhost")
    page = client.post(path, data=form)
    assert (page.status_code, "You are signed out" in page.text) == (403, True)
    assert "The hall is flooded.\r\nWe are sorry.</li>" in page.text
    kept = Forms(page).forms[path]
    assert kept["note"] == ["The hall is flooded.\r\nWe are sorry."]
    with app.app_context():  # in another tab; signing in begins a session of its own
        client.delete_cookie("session", domain="localhost")
        sign_in(client, person)
    page = client.post(path, data=kept)
    assert (page.status_code, NOTICE in page.text) == (422, True)
    assert client.post(path, data=Forms(page).forms[path]).status_code == 302
    with app.app_context():
        assert db.session.get_one(Event, event.id).cancel_note == "The hall is flooded. We are sorry."


def everything(app: Flask) -> dict[str, list[Any]]:
    """Return all rows of all tables."""
    with app.app_context():
        tables = db.metadata.sorted_tables
        return {table.name: [tuple(row) for row in db.session.execute(sa.select(table))] for table in tables}


def expired_posts(app: Flask) -> Iterator[tuple[str, str]]:
    """Give every address that takes forms, but those of mails' own buttons."""
    for method, rule in pages(app):
        if method == "POST" and rule.endpoint not in {"reminders.stop", "digests.stop"}:
            yield address(app, rule), guard_of(app, rule) or ""


@pytest.mark.both_databases
def test_no_address_changes_anything_for_a_form_that_has_expired(app: Flask) -> None:
    fill(app)
    with app.app_context():
        make_event("A draft", kind=Kind.DEADLINE, status="draft")
    before = everything(app)
    answers = {}
    typed = {"name": "Ada Obi", "email": "ada@new.example", "note": "x", "place": "1", "school": "1", "title": "T"}
    typed |= {"role": "organiser", "said": "submitted", "return": "1", "event": "3", "do": "hold", "step": "send"}
    typed |= {"subject": "S", "text": "T", "roles": "senco", "scope": "all", "answer": "yes", "paused": "y"}
    for path, _ in expired_posts(app):
        client = browser(app, "administrator")
        token = client.token({})
        with hours_later():
            page = client.post(path, data={**typed, "csrf_token": token})
            assert client.get("/manage/").status_code == 200, path  # still signed in
        answers[path] = page.status_code
        assert page.status_code in {200, 404, 409, 422}, path
    assert len(answers) > 50
    assert list(answers.values()).count(422) > 40
    assert everything(app) == before


@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"Origin": HTTPS},
        {"Origin": HTTPS.upper()},
        {"Origin": "null"},
        {"Origin": "null", "Sec-Fetch-Site": "same-origin"},
        {"Origin": HTTPS, "Sec-Fetch-Site": "same-origin"},
        {"Referer": "https://filter.school.example/"},
    ],
)
def test_over_https_a_token_and_a_cookie_suffice(database_url: str, headers: dict[str, str]) -> None:
    page = over_https(database_url, headers)
    assert (page.status_code, page.headers.get("Location")) == (302, "/sign-in/code")


@pytest.mark.parametrize(
    "headers",
    [
        {"Origin": "https://evil.example"},
        {"Origin": "http://calendar.example.org"},
        {"Origin": "https://calendar.example.org.evil.example"},
        {"Origin": "https://evil.example", "Referer": f"{HTTPS}/sign-in"},
        {"Origin": "null", "Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "cross-site"},
        {"Sec-Fetch-Site": "same-site"},
    ],
)
@pytest.mark.parametrize("hours", [0, HOURS])
def test_a_form_of_another_site_is_refused_token_or_not_and_is_not_given_back(
    database_url: str, headers: dict[str, str], hours: int
) -> None:
    page = over_https(database_url, headers, hours=hours)
    assert (page.status_code, outcome(page)) == (400, "refused")
    assert "We could not take this form" in page.text
    assert "p@school.example" not in page.text


def over_https(database_url: str, headers: dict[str, str], *, hours: int = 0) -> Any:
    """Ask for a sign-in link over HTTPS, with these headers alone."""
    app = make_app(database_url, BASE_URL=HTTPS)
    with app.app_context():
        make_area()
    client = app.test_client()
    page = client.get("/sign-in", base_url=HTTPS)
    token = re.search(r'name="csrf_token" value="([^"]+)"', page.text)[1]
    with time_machine.travel(now() + timedelta(hours=hours)):
        form = {"email": "p@school.example", "csrf_token": token}
        found = client.post("/sign-in", data=form, base_url=HTTPS, headers=headers)
    close(app)
    return found
