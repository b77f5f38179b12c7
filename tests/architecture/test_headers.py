"""What every answer carries, what no page contains, and what an error looks like."""

import re
from collections.abc import Iterator
from html.parser import HTMLParser
from io import BytesIO
from pathlib import Path

import pytest
from flask import Flask
from flask.testing import FlaskClient

from booking.app import MAX_BODY
from booking.bookings.queries import BOOKING_LINK
from booking.core.db import db
from booking.core.tokens import link_token
from booking.directory.models import RoleName
from tests.databases import close, make_app
from tests.factories import make_area, make_booking, make_event, make_organiser, sign_in

TEMPLATES = Path(__file__).parents[2] / "booking" / "templates"
POLICY = {
    "default-src 'self'",
    "img-src 'self' data:",
    "form-action 'self'",
    "base-uri 'none'",
    "object-src 'none'",
    "frame-ancestors 'none'",
}


def policy_of(page) -> set[str]:
    return set(page.headers["Content-Security-Policy"].split("; "))


@pytest.fixture
def own_app(database_url: str) -> Iterator[Flask]:
    """An application of one test alone, which adds a page to it."""
    app = make_app(database_url)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    yield app
    close(app)


@pytest.fixture
def site(app: Flask) -> Flask:
    """The application with an event, a booking and an administrator."""
    with app.app_context():
        make_booking(make_event())
        make_organiser("boss@vale-marsh.example", RoleName.ADMINISTRATOR)
    app.config["PROPAGATE_EXCEPTIONS"] = False
    return app


def administrator(app: Flask) -> FlaskClient:
    client = app.test_client()
    with app.app_context():
        sign_in(client, make_organiser("helen@vale-marsh.example", RoleName.ADMINISTRATOR))
    return client


@pytest.mark.parametrize(
    "path", ["/", "/events/1/book", "/sign-in", "/nothing-here", "/healthz", "/feeds/calendar.ics"]
)
def test_every_answer_is_locked_down(site: Flask, path: str) -> None:
    page = site.test_client().get(path)
    assert policy_of(page) == POLICY
    assert page.headers["X-Content-Type-Options"] == "nosniff"
    assert page.headers["X-Frame-Options"] in {"DENY", "SAMEORIGIN"}
    assert page.headers["Referrer-Policy"] == "same-origin"
    assert page.headers["Permissions-Policy"] == "camera=(), geolocation=(), microphone=()"
    assert "Strict-Transport-Security" not in page.headers


def test_pages_are_kept_by_nobody_else_and_files_by_everybody(site: Flask) -> None:
    client = site.test_client()
    page = client.get("/")
    assert page.headers["Cache-Control"] == "private, no-cache"
    for path in re.findall(r'(?:href|src)="(/static/[^"]+)"', page.text):
        file = client.get(path)
        assert (file.status_code, "?v=" in path) == (200, True)
        assert "immutable" in file.headers["Cache-Control"]


@pytest.mark.parametrize("base_url", ["http://calendar.example.org", "https://calendar.example.org"])
def test_https_is_asked_for_where_the_address_says_so(database_url: str, base_url: str) -> None:
    app = make_app(database_url, BASE_URL=base_url)
    with app.app_context():
        make_area()
    client, is_https = app.test_client(), base_url.startswith("https")
    plain = client.get("/sign-in", base_url="http://calendar.example.org")
    assert (plain.status_code, plain.headers.get("Location")) == (
        (302, "https://calendar.example.org/sign-in") if is_https else (200, None)
    )
    page = app.test_client().get("/sign-in", base_url=base_url)
    assert page.status_code == 200
    assert page.headers.get("Strict-Transport-Security") == (
        "max-age=31556926; includeSubDomains" if is_https else None
    )
    cookie = page.headers["Set-Cookie"]
    assert {"HttpOnly", "SameSite=Lax"} <= set(cookie.split("; "))
    assert ("Secure" in cookie.split("; ")) is is_https
    close(app)


def test_behind_a_proxy_https_is_what_the_proxy_says(database_url: str) -> None:
    app = make_app(database_url, BASE_URL="https://calendar.example.org")
    with app.app_context():
        make_area()
    handed_on = {"X-Forwarded-Proto": "https", "X-Forwarded-For": "203.0.113.7"}
    page = app.test_client().get("/sign-in", base_url="http://calendar.example.org", headers=handed_on)
    assert (page.status_code, "Strict-Transport-Security" in page.headers) == (200, True)
    close(app)


class Page(HTMLParser):
    """Collects what a strict policy does not allow in a page."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.found: list[str] = []
        self.feed(text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        names = dict(attrs)
        self.found += [f"{tag} {name}" for name in names if name == "style" or name.startswith("on")]
        self.found += [f"{tag} {value}" for value in names.values() if (value or "").strip().startswith("javascript:")]
        if tag == "style" or (tag == "script" and "src" not in names):
            self.found.append(tag)


def test_no_page_has_styles_or_scripts_of_its_own(site: Flask) -> None:
    client = administrator(site)
    with site.app_context():
        event = make_event("Second")
        token = link_token(BOOKING_LINK, make_booking(event).key)
    paths = [
        "/",
        "/calendar/",
        "/events/",
        event.path,
        "/feeds/",
        "/feeds/calendar/",
        "/my/calendars/",
        "/my/",
        "/my/details",
        "/contact",
        "/privacy",
    ]
    paths += ["/accessibility", f"/events/{event.id}/book", f"/bookings/{token}/", f"/bookings/{token}/cancel"]
    paths += ["/manage/", "/manage/events/", "/manage/events/new", f"/manage/events/{event.id}/", "/manage/people/"]
    paths += [f"/manage/events/{event.id}/{page}" for page in ("edit", "cancel", "places/", "places/add", "reminders/")]
    paths += ["/manage/log/", "/manage/outbox/", "/manage/reminders/", "/nothing-here", "/sign-in"]
    for path in paths:
        page = client.get(path)
        assert page.status_code in {200, 404}
        assert (path, Page(page.text).found) == (path, [])
    bad = client.post("/manage/events/new", data={})
    assert (bad.status_code, Page(bad.text).found) == (422, [])


def test_no_template_has_styles_or_scripts_of_its_own() -> None:
    """But those of e-mails, where mail clients read nothing else."""
    templates = [path for path in TEMPLATES.rglob("*.html") if path.parent.name != "emails"]
    assert len(templates) > 30
    forbidden = re.compile(
        r"""<style|\sstyle\s*=|\son[a-z]+\s*=\s*["'{]|<script(?![^>]*\ssrc=)|javascript:""", re.IGNORECASE
    )
    found = {
        str(path.relative_to(TEMPLATES)): forbidden.findall(path.read_text(encoding="utf-8")) for path in templates
    }
    assert {name: what for name, what in found.items() if what} == {}


def check_error(page, code: int, title: str) -> None:
    """Assert that an error says what happened, and offers a way on."""
    assert page.status_code == code
    assert re.findall(r"<h1>([^<]+)</h1>", page.text) == [title]
    for way_on in ('href="/"', 'href="/calendar/"', 'href="/my/"', 'href="/contact"', 'action="/events/"'):
        assert way_on in page.text
    assert policy_of(page) == POLICY
    assert "Traceback" not in page.text
    assert Page(page.text).found == []


def test_errors_say_what_happened_and_offer_a_way_on(site: Flask, client: FlaskClient) -> None:
    check_error(client.get("/nothing-here"), 404, "Page not found")
    check_error(client.get("/events/999/"), 404, "Page not found")
    check_error(client.get("/sign-out"), 405, "This page cannot be asked for in that way")
    check_error(client.get("/events/?q=%00"), 400, "We could not read that")
    large = BytesIO(b"x" * (MAX_BODY + 1))
    check_error(client.post("/sign-in", data={"email": (large, "large.txt")}), 413, "That is too large")
    long = client.post("/sign-in", data={"email": "x" * (2 * 1024 * 1024 + 1)}, content_type="multipart/form-data")
    check_error(long, 413, "That is too large")
    without = client.post("/sign-in", data={"email": "p@school.example", "csrf_token": ""})
    check_error(without, 400, "We could not take this form")


def test_who_may_not_open_a_page_is_told_so(site: Flask, client: FlaskClient) -> None:
    with site.app_context():
        sign_in(client, make_organiser("amina@vale-marsh.example", RoleName.FACILITATOR))
    check_error(client.get("/manage/"), 403, "This is not yours to open")


def test_an_error_of_ours_is_owned_up_to_and_nothing_is_told_of_it(own_app: Flask) -> None:
    own_app.add_url_rule("/broken", view_func=lambda: 1 / 0)
    check_error(own_app.test_client().get("/broken"), 500, "Something went wrong on our side")


def test_who_asks_too_often_is_told_to_wait(database_url: str) -> None:
    app = make_app(database_url, RATE_LIMITS="on")
    with app.app_context():
        make_area()
    client = app.test_client()
    for _ in range(30):
        client.post("/sign-in", data={"email": ""})
    page = client.post("/sign-in", data={"email": ""})
    check_error(page, 429, "Too many tries")
    assert 0 < int(page.headers["Retry-After"]) <= 60
    close(app)


@pytest.mark.both_databases
def test_an_error_in_the_middle_of_the_database_leaves_the_next_page_alone(own_app: Flask) -> None:
    with own_app.app_context():
        make_area()

    def broken() -> str:
        db.session.execute(db.text("SELECT nothing FROM nowhere"))
        return ""

    own_app.add_url_rule("/broken", view_func=broken)
    client = own_app.test_client()
    for _ in range(3):
        check_error(client.get("/broken"), 500, "Something went wrong on our side")
    assert client.get("/").status_code == 200


def test_without_a_database_pages_fail_politely_and_readyz_says_why(tmp_path: Path) -> None:
    nowhere = "postgresql+psycopg://nobody@127.0.0.1:1/nothing"
    for address, reason, code, title in (
        (
            f"sqlite:///{tmp_path / 'new.db'}",
            r"the database is at migration None, not \w+: run flask db upgrade",
            500,
            "Something went wrong on our side",
        ),
        (nowhere, "the database does not answer", 503, "We are having trouble"),
    ):
        app = make_app(address)
        app.config["PROPAGATE_EXCEPTIONS"] = False
        client = app.test_client()
        check_error(client.get("/"), code, title)
        check_error(client.get("/nothing-here"), 404, "Page not found")
        ready = client.get("/readyz")
        assert ready.status_code == 503
        assert re.fullmatch(f"{reason}\n", ready.text)
        assert (client.get("/healthz").status_code, client.get("/healthz").text) == (200, "alive\n")
        close(app)


@pytest.mark.both_databases
def test_a_migrated_database_is_ready_to_serve(client: FlaskClient) -> None:
    ready = client.get("/readyz")
    assert (ready.status_code, ready.text) == (200, "ready\n")
    assert ready.headers["Cache-Control"] == "no-store"
    assert ready.headers["Content-Type"] == "text/plain; charset=utf-8"


def test_robots_keep_out_of_what_belongs_to_one_person_and_may_read_the_feeds(app: Flask, client: FlaskClient) -> None:
    page = client.get("/robots.txt")
    assert (page.status_code, page.headers["Content-Type"]) == (200, "text/plain; charset=utf-8")
    lines = page.text.splitlines()
    assert lines[0] == "User-agent: *"
    assert {f"Disallow: /{folder}/" for folder in ("bookings", "places", "manage", "my")} <= set(lines)
    assert not [line for line in lines if "/feeds" in line]
    kept_out = tuple(line.removeprefix("Disallow: ") for line in lines[1:])
    links = [
        str(rule) for rule in app.url_map.iter_rules() if "<token>" in str(rule) and not str(rule).startswith("/feeds/")
    ]
    assert [link for link in links if not link.startswith(kept_out)] == []
