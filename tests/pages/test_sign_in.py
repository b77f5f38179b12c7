"""Signing in and out by real forms, without scripts."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from booking.core.db import db
from booking.core.tokens import link_token
from booking.directory.models import Person, RoleName
from booking.notifications.models import Message
from tests.databases import close, make_app
from tests.factories import make_area, make_event, make_organiser, make_person, make_school, sign_in

EMAIL = "priya@school.example"
HTTPS = "https://calendar.example.org"


def outcome(page) -> str | None:
    found = re.search(r'<main[^>]*data-outcome="(\w+)"', page.text)
    return found and found[1]


def ask(client: FlaskClient, email: str = EMAIL, **more):
    """Send the form, and return the page that follows."""
    return client.post("/sign-in", data={"email": email, **more}, follow_redirects=True)


def mailed(app: Flask, base_url: str = "http://calendar.example.org") -> tuple[str, str]:
    """Return the path of the link and the code of the newest mail."""
    with app.app_context():
        text = db.session.query(Message).order_by(Message.id.desc()).first().text
    link, code = re.search(re.escape(base_url) + r"(/sign-in/\S+)", text), re.search(r"code: (\d{6})", text)
    return link[1], code[1]


def is_signed_in(client: FlaskClient) -> bool:
    return client.get("/my/").status_code == 200


def setup_person(app: Flask, email: str = EMAIL, **values) -> Person:
    with app.app_context():
        make_area()
        return make_person(email, **values)


def test_somebody_new_signs_in_by_code_and_says_who_they_are(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        school = make_school("Oakhurst Primary")
    page = ask(client, " Priya@School.Example ")
    assert (page.status_code, page.request.path) == (200, "/sign-in/code")
    _, code = mailed(app)
    page = client.post("/sign-in/code", data={"code": f"{code[:3]} {code[3:]}"}, follow_redirects=True)
    assert (page.status_code, page.request.path) == (200, "/my/details")
    bad = client.post("/my/details", data={"name": " ", "school": "999"})
    assert (bad.status_code, outcome(bad)) == (422, "invalid")
    assert re.findall(r'<a href="(#\w+)">', bad.text) == ["#name", "#school"]
    page = client.post("/my/details", data={"name": "Priya Nair", "school": str(school.id)}, follow_redirects=True)
    assert (page.status_code, page.request.path, outcome(page)) == (200, "/my/", "saved")
    assert "Priya Nair, Oakhurst Primary" in page.text
    with app.app_context():
        assert [(p.email, p.name) for p in db.session.query(Person)] == [(EMAIL, "Priya Nair")]


def test_the_link_shows_a_button_and_only_the_press_uses_it_up(app: Flask, client: FlaskClient) -> None:
    setup_person(app)
    ask(client)
    link, _ = mailed(app)
    scanner, phone = app.test_client(), app.test_client()
    for _ in range(3):
        page = scanner.get(link)
        assert (page.status_code, scanner.head(link).status_code) == (200, 200)
        assert re.search(r'<form[^>]*method="post">.*<button[^>]*>Sign in</button>', page.text)
        assert not is_signed_in(scanner)
    page = phone.post(link, follow_redirects=True)
    assert (page.status_code, page.request.path) == (200, "/my/")
    assert is_signed_in(phone)
    assert not is_signed_in(client)
    again = app.test_client()
    assert (again.get(link).status_code, again.post(link).status_code) == (410, 409)
    assert "Ask for a new one" in again.get(link).text
    assert not is_signed_in(again)


@pytest.mark.both_databases
def test_of_two_who_press_at_once_one_is_signed_in(app: Flask, client: FlaskClient) -> None:
    setup_person(app)
    ask(client)
    link, _ = mailed(app)
    barrier = Barrier(2)

    def press(_number: int) -> tuple[int, bool]:
        browser = app.test_client()
        barrier.wait(timeout=30)
        return browser.post(link).status_code, is_signed_in(browser)

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(press, range(2))) == [(302, True), (409, False)]


def test_a_link_is_over_after_a_quarter_of_an_hour_and_says_so(app: Flask, client: FlaskClient) -> None:
    setup_person(app)
    start = datetime(2027, 10, 31, 0, 50, tzinfo=UTC)  # the clocks go back within the quarter of an hour
    with time_machine.travel(start, tick=False) as clock:
        ask(client)
        link, code = mailed(app)
        clock.move_to(start + timedelta(minutes=15))
        page = client.get(link)
        assert (page.status_code, "older than 15 minutes" in page.text) == (410, True)
        assert client.post(link).status_code == 409
        page = client.post("/sign-in/code", data={"code": code})
        assert (page.status_code, outcome(page)) == (409, "refused")
        assert not is_signed_in(client)


@pytest.mark.parametrize("path", ["/sign-in/nonsense", "/sign-in/%C3%A4", "/sign-in/" + "a" * 500])
def test_a_link_that_we_did_not_send_is_of_no_use(app: Flask, client: FlaskClient, path: str) -> None:
    setup_person(app)
    assert (client.get(path).status_code, client.post(path).status_code) == (410, 409)


def test_five_wrong_codes_use_it_up(app: Flask, client: FlaskClient) -> None:
    setup_person(app)
    ask(client)
    _, code = mailed(app)
    wrong = f"{(int(code) + 1) % 10**6:06d}"
    for _ in range(5):
        page = client.post("/sign-in/code", data={"code": wrong})
        assert (page.status_code, outcome(page)) == (409, "refused")
        assert '<a href="#code">That is not the code' in page.text
        assert f'value="{wrong}"' in page.text
    page = client.post("/sign-in/code", data={"code": code})
    assert (page.status_code, outcome(page), is_signed_in(client)) == (409, "refused", False)
    ask(client)
    client.post("/sign-in/code", data={"code": mailed(app)[1]})
    assert is_signed_in(client)


@pytest.mark.parametrize("typed", ["", "12345", "abcdef", "1234567890123"])
def test_what_cannot_be_a_code_costs_no_try(app: Flask, client: FlaskClient, typed: str) -> None:
    setup_person(app)
    ask(client)
    for _ in range(6):
        page = client.post("/sign-in/code", data={"code": typed})
        assert (page.status_code, outcome(page)) == (422, "invalid")
        assert '<a href="#code">Enter' in page.text
    client.post("/sign-in/code", data={"code": mailed(app)[1]})
    assert is_signed_in(client)


def test_a_code_is_of_no_use_in_another_browser(app: Flask, client: FlaskClient) -> None:
    setup_person(app)
    ask(client)
    _, code = mailed(app)
    stranger = app.test_client()
    assert stranger.get("/sign-in/code").headers["Location"] == "/sign-in"
    assert stranger.post("/sign-in/code", data={"code": code}).headers["Location"] == "/sign-in"
    ask(stranger, "mallory@evil.example")
    assert stranger.post("/sign-in/code", data={"code": code}).status_code == 409
    assert not is_signed_in(stranger)
    client.post("/sign-in/code", data={"code": code})
    assert is_signed_in(client)


def test_the_answer_is_alike_whether_or_not_we_know_the_address(app: Flask) -> None:
    with app.app_context():
        make_organiser(EMAIL)
    answers = []
    for email in (EMAIL, "nobody@school.example"):
        client = app.test_client()
        sent = client.post("/sign-in", data={"email": email})
        page = client.get(sent.headers["Location"])
        shown = re.sub(r'name="csrf_token"[^>]*', "", page.text).replace(email, "…")
        answers.append((sent.status_code, sent.headers["Location"], page.status_code, shown))
    assert answers[0] == answers[1]
    with app.app_context():
        known, unknown = db.session.query(Message).order_by(Message.id)
        same = [re.sub(r"\d{6}|sign-in/\S+", "…", message.text) for message in (known, unknown)]
        assert same[0] == same[1]
        assert db.session.query(Person).count() == 1


@pytest.mark.parametrize(
    "typed", ["", "priya", "priya@oakhurst", "priya@school.example\nBcc: x@evil.example", "a" * 260]
)
def test_what_cannot_be_an_address_is_told_and_kept(app: Flask, client: FlaskClient, typed: str) -> None:
    setup_person(app)
    page = client.post("/sign-in", data={"email": typed, "next": "/my/"})
    assert (page.status_code, outcome(page)) == (422, "invalid")
    assert page.text.count('<a href="#email">') == 1
    assert 'aria-describedby="email-error" aria-invalid="true"' in page.text
    assert f'value="{" ".join(typed.split())}"' in page.text
    assert 'name="next" value="/my/"' in page.text
    with app.app_context():
        assert db.session.query(Message).count() == 0


def test_the_sixth_time_within_an_hour_the_newest_link_is_good_for_longer(app: Flask) -> None:
    setup_person(app)
    start = datetime(2027, 2, 28, 23, 30, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        codes = [ask(app.test_client()).status_code for _ in range(5)]
        link, _ = mailed(app)
        clock.move_to(start + timedelta(minutes=50))
        mine = app.test_client()
        page = ask(mine)
        assert (codes, page.status_code, page.request.path) == ([200] * 5, 200, "/sign-in/code")
        assert "is good for another 15 minutes: open its link." in page.text
        assert 'name="code"' not in page.text
        unknown = [ask(app.test_client(), "nobody@school.example").status_code for _ in range(6)]
        assert unknown == [200] * 6
        mine.post(link)
        assert is_signed_in(mine)
        clock.move_to(start + timedelta(hours=1))
        assert "We have written to" in ask(app.test_client()).text
        with app.app_context():
            assert db.session.query(Message).filter_by(to_email=EMAIL).count() == 6


@pytest.mark.parametrize(("base_url", "name"), [("http://localhost", "known"), (HTTPS, "__Host-known")])
def test_a_stranger_cannot_keep_a_browser_out_that_signed_in_before(
    database_url: str, base_url: str, name: str
) -> None:
    app = make_app(database_url, RATE_LIMITS="on", BASE_URL=base_url)
    setup_person(app)
    client, stranger = app.test_client(), app.test_client()

    def press(browser: FlaskClient, path: str, **data: str):
        return browser.post(path, data=data, base_url=base_url, follow_redirects=True)

    press(client, "/sign-in", email=EMAIL)
    cookie = press(client, mailed(app, base_url)[0]).history[0].headers.getlist("Set-Cookie")
    (said,) = [one for one in cookie if one.startswith(f"{name}=")]
    assert ("Secure" in said, "HttpOnly" in said, "SameSite=Lax" in said, "Path=/" in said) == (
        base_url == HTTPS,
        True,
        True,
        True,
    )
    assert EMAIL not in said
    press(client, "/sign-out")
    for _ in range(6):
        press(stranger, "/sign-in", email=EMAIL)
    page = press(client, "/sign-in", email=EMAIL)
    assert "Enter the code here" in page.text
    page = press(client, "/sign-in/code", code=mailed(app, base_url)[1])
    assert page.request.path == "/my/"
    press(client, "/my/sign-out-everywhere")
    assert "Enter the code here" in press(client, "/sign-in", email=EMAIL).text
    close(app)


def test_where_codes_are_off_the_page_says_so_and_the_link_works(app: Flask, client: FlaskClient) -> None:
    setup_person(app)
    start = datetime(2027, 2, 28, 3, 30, tzinfo=UTC)
    with time_machine.travel(start, tick=False):
        stranger = app.test_client()
        for _ in range(4):
            ask(stranger)
            wrong = f"{(int(mailed(app)[1]) + 1) % 10**6:06d}"
            for _ in range(5):
                assert "That is not the code" in stranger.post("/sign-in/code", data={"code": wrong}).text
        refused = stranger.post("/sign-in/code", data={"code": wrong})
        assert (refused.status_code, outcome(refused)) == (409, "refused")
        assert '<a href="#code">Too many wrong codes' in refused.text
        page = ask(client)
        assert "codes are off. The link still works." in page.text
        assert 'name="code"' not in page.text
        with app.app_context():
            text = db.session.query(Message).order_by(Message.id.desc()).first().text
        client.post(re.search(r"(/sign-in/\S+)", text)[1])
        assert is_signed_in(client)


def test_one_origin_asks_at_most_two_hundred_times_an_hour(database_url: str) -> None:
    app = make_app(database_url, RATE_LIMITS="on")
    setup_person(app)
    start = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
    with time_machine.travel(start, tick=False) as clock:
        for number in range(200):
            clock.shift(3)  # slower than the limit by the minute
            assert ask(app.test_client(), f"person{number}@school.example").status_code == 200
        page = ask(app.test_client(), "one-more@school.example")
        assert (page.status_code, outcome(page)) == (409, "refused")
        elsewhere = app.test_client()
        elsewhere.environ_base["REMOTE_ADDR"] = "203.0.113.7"
        assert ask(elsewhere, "one-more@school.example").status_code == 200
    close(app)


ELSEWHERE = [
    "//evil.example",
    "///evil.example",
    "https://evil.example/",
    "https:evil.example",
    "/\\evil.example",
    "\\\\evil.example",
    "javascript:alert(1)",
    "/\t/evil.example",
    "/\n/evil.example",
    "\t//evil.example",
    " //evil.example",
    "/\x00/evil.example",
    "/\u2028/evil.example",
    "//[",
    "evil.example",
    "",
]


@pytest.mark.parametrize("wanted", ELSEWHERE)
def test_nobody_is_sent_elsewhere_after_signing_in(app: Flask, wanted: str) -> None:
    setup_person(app)
    client = app.test_client()
    if "\x00" in wanted:
        assert client.get("/sign-in", query_string={"next": wanted}).status_code == 400
        return
    assert 'name="next" value=""' in client.get("/sign-in", query_string={"next": wanted}).text
    ask(client, next=wanted)
    link, _ = mailed(app)
    assert client.post(link).headers["Location"] == "/my/"
    assert (
        client.post("/my/details", data={"name": "Priya", "school": "", "next": wanted}).headers["Location"] == "/my/"
    )


@pytest.mark.parametrize("new", [False, True])
def test_who_wanted_a_page_gets_there_in_the_end(app: Flask, client: FlaskClient, new: bool) -> None:
    with app.app_context():
        make_area()
        make_person(EMAIL, "" if new else "Priya Nair")
    wanted = "/my/details?from=a b&x=é"
    start = client.get("/sign-in", query_string={"next": wanted})
    assert 'name="next" value="/my/details?from=a b&amp;x=é"' in start.text
    ask(client, next=wanted)
    sent = client.post("/sign-in/code", data={"code": mailed(app)[1]})
    if new:
        form = client.get(sent.headers["Location"])
        assert 'name="next" value="/my/details?from=a b&amp;x=é"' in form.text
        sent = client.post("/my/details", data={"name": "Priya", "school": "", "next": wanted})
    assert sent.headers["Location"] == "/my/details?from=a%20b&x=%C3%A9"


def test_a_page_that_needs_signing_in_is_where_it_leads(app: Flask, client: FlaskClient) -> None:
    setup_person(app)
    asked = client.get("/manage/log/?event=3&page=2")
    assert asked.headers["Location"] == "/sign-in?next=/manage/log/?event%3D3%26page%3D2"
    assert 'value="/manage/log/?event=3&amp;page=2"' in client.get(asked.headers["Location"]).text
    assert client.post("/my/sign-out-everywhere").headers["Location"] == "/sign-in?next="


@pytest.mark.parametrize(
    ("role", "path"),
    [
        (RoleName.ADMINISTRATOR, "/manage/"),
        (RoleName.ORGANISER, "/manage/"),
        (RoleName.FACILITATOR, "/my/"),
    ],
)
def test_everybody_begins_on_a_page_that_they_may_open(app: Flask, client: FlaskClient, role, path) -> None:
    with app.app_context():
        make_area()
        make_organiser("tom@vale-marsh.example", role)
    ask(client, "tom@vale-marsh.example")
    page = client.post(mailed(app)[0], follow_redirects=True)
    assert (page.status_code, page.request.path) == (200, path)
    assert ('href="/manage/"' in page.text) is (path == "/manage/")


def test_the_session_begins_anew_and_holds_no_secret_of_the_mail(app: Flask, client: FlaskClient) -> None:
    setup_person(app)
    with client.session_transaction() as session:
        session["planted"] = "by somebody else"
    ask(client)
    link, code = mailed(app)
    with client.session_transaction() as session:
        assert set(session["sign_in"]) == {"browser", "email", "sent", "codes_off"}
        assert link.rpartition("/")[2] not in str(dict(session))
        assert code not in str(dict(session))
    client.post(link)
    with client.session_transaction() as session:
        assert not {"planted", "sign_in"} & set(session)
        assert session.permanent


def test_signing_out_ends_this_session_and_no_other(app: Flask, client: FlaskClient) -> None:
    person, other = setup_person(app), app.test_client()
    sign_in(client, person)
    sign_in(other, person)
    assert client.get("/sign-out").status_code == 405
    assert is_signed_in(client)
    page = client.post("/sign-out", follow_redirects=True)
    assert (page.request.path, "You are signed out." in page.text) == ("/", True)
    assert (is_signed_in(client), is_signed_in(other)) == (False, True)
    assert client.post("/sign-out").status_code == 302


def test_signing_out_everywhere_ends_all_sessions_and_moves_the_feed(app: Flask, client: FlaskClient) -> None:
    person, other = setup_person(app), app.test_client()
    with app.app_context():
        make_event()
        feed = f"/feeds/my/{link_token('feed', person.feed_key)}.ics"
    sign_in(client, person)
    sign_in(other, person)
    assert (is_signed_in(other), other.get(feed).status_code) == (True, 200)
    page = client.post("/my/sign-out-everywhere", follow_redirects=True)
    assert "signed out everywhere" in page.text
    assert (is_signed_in(client), is_signed_in(other), other.get(feed).status_code) == (False, False, 410)
    with app.app_context():
        now = db.session.get(Person, person.id)
        moved = f"/feeds/my/{link_token('feed', now.feed_key)}.ics"
        sign_in(client, now)
    assert (is_signed_in(client), client.get(moved).status_code) == (True, 200)
    assert moved in client.get("/my/").text


@pytest.mark.parametrize("session", ["", ":", "1", "1:", "1:wrong", "x:y", "²:x"])
def test_a_session_that_we_did_not_begin_is_nobodys(app: Flask, client: FlaskClient, session: str) -> None:
    setup_person(app)
    with client.session_transaction() as cookie:
        cookie["_user_id"] = session
    assert client.get("/my/").status_code == 302


def test_the_demonstrations_short_cuts_answer_this_machine_alone(demo_app: Flask, app: Flask) -> None:
    with demo_app.app_context():
        organiser = make_organiser("organiser@example.org")
        make_event()
    pages = [("GET", "/mailbox/"), ("GET", "/mailbox/1"), ("GET", "/mailbox/1.eml")]
    pages += [("GET", "/demo/sign-in"), ("POST", "/demo/sign-in")]
    stranger = {"environ_base": {"REMOTE_ADDR": "203.0.113.7"}}
    handed_on = {"headers": {"X-Forwarded-For": "203.0.113.7"}}
    spoofed = {"headers": [("X-Forwarded-For", "127.0.0.1, 203.0.113.7")]}
    odd = {"headers": {"X-Forwarded-For": "nonsense"}}
    for method, path in pages:
        assert app.test_client().open(path, method=method).status_code == 404
        for how in (stranger, handed_on, spoofed, odd):
            client = demo_app.test_client()
            sign_in(client, organiser)
            assert client.open(path, method=method, **how).status_code == 404
    client = demo_app.test_client()
    assert client.get("/mailbox/").status_code == 200
    for how in (stranger, handed_on):
        assert "Try it as an organiser" not in client.get("/", **how).text
    assert "Try it as an organiser" in client.get("/").text
    local = {"headers": {"X-Forwarded-For": "127.0.0.1"}}
    assert client.get("/demo/sign-in", **local).status_code == 404  # a proxy on this machine may speak for anybody
    assert client.get("/demo/sign-in").status_code == 200
    page = client.post("/demo/sign-in", follow_redirects=True)
    assert (page.status_code, page.request.path) == (200, "/manage/")


def test_the_first_form_to_send_on_a_page_is_the_pages_own(demo_app: Flask) -> None:
    with demo_app.app_context():
        organiser, event = make_organiser("organiser@example.org"), make_event()
    client, book = demo_app.test_client(), f"/events/{event.id}/book"
    forms = re.compile(r'<form[^>]*method="post"[^>]*>')

    def first(path: str) -> str:
        found = forms.findall(client.get(path).text)
        action = re.search(r'action="([^"]*)"', found[0] if found else "")
        return action[1] if action else ""

    assert [first(path) for path in ("/", book, "/sign-in")] == ["", book, "/sign-in"]
    home = client.get("/").text
    assert '<a href="/demo/sign-in">Try it as an organiser</a>' in home
    assert '<form class="mt" method="post" action="/demo/sign-in">' in client.get("/demo/sign-in").text
    sign_in(client, organiser)
    assert [first(path) for path in (book, f"/manage/events/{event.id}/cancel", "/")] == [
        book,
        "",
        "/sign-out",
    ]
    assert "Try it as an organiser" not in client.get("/").text
    assert re.search(r'<button [^>]*form="sign-out">Sign out</button>', home) is None
    page = client.get("/").text
    assert re.search(r'<button [^>]*form="sign-out">Sign out</button>.*</main>.*<form id="sign-out"', page, re.DOTALL)
