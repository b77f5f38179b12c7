"""Who counts as this machine, and what pages say of a form that was not taken."""

import re

import pytest
from flask import Flask
from flask.testing import FlaskClient

from tests.databases import close, make_app
from tests.factories import make_area


def mailbox(app: Flask, host: str = "127.0.0.1:5000", remote: str = "127.0.0.1", **headers: str) -> int:
    """Ask for the demonstration's mailbox; return the status."""
    named = {name.replace("_", "-"): value for name, value in headers.items()}
    return (
        app.test_client()
        .get("/mailbox/", headers={**named, "Host": host}, environ_base={"REMOTE_ADDR": remote})
        .status_code
    )


@pytest.fixture
def demo(demo_app: Flask) -> Flask:
    with demo_app.app_context():
        make_area()
    return demo_app


@pytest.mark.parametrize(
    "host",
    [
        "127.0.0.1:5000",
        "127.0.0.1",
        "localhost:5000",
        "localhost",
        "LOCALHOST:5000",
        "[::1]:5000",
        "[::1]",
        "127.0.0.2",
    ],
)
def test_the_mailbox_opens_under_the_names_of_this_machine(demo: Flask, host: str) -> None:
    assert mailbox(demo, host) == 200


@pytest.mark.parametrize("remote", ["127.0.0.1", "::1", "::ffff:127.0.0.1"])
def test_the_mailbox_opens_to_this_machine(demo: Flask, remote: str) -> None:
    assert mailbox(demo, remote=remote) == 200


@pytest.mark.parametrize("remote", ["203.0.113.7", "192.168.0.4", "::ffff:203.0.113.7", "", "unix:"])
def test_the_mailbox_is_closed_to_other_machines(demo: Flask, remote: str) -> None:
    assert mailbox(demo, remote=remote) == 404


@pytest.mark.parametrize(
    "host",
    [
        "calendar.example.org",
        "evil.example:5000",  # a name that its owner lets lead here: DNS rebinding
        "localhost.evil.example",
        "127.0.0.1.evil.example",
        "192.168.0.4:5000",
        "0.0.0.0:5000",
        "evil.example@localhost",
        "[::1",
        "localhost:port",
        "",
    ],
)
def test_the_mailbox_is_closed_under_any_other_name(demo: Flask, host: str) -> None:
    assert mailbox(demo, host) == 400
    unnamed = make_app("sqlite://", DEMO="1", BASE_URL="")
    with unnamed.app_context():
        assert unnamed.test_client().get("/mailbox/", headers={"Host": host}).status_code in {400, 404}


@pytest.mark.parametrize(
    "name",
    [
        "X-Forwarded-For",
        "X-Forwarded-Host",
        "X-Forwarded-Proto",
        "X-Forwarded-Server",
        "X-Forwarded-Port",
        "X-Forwarded-Prefix",
        "X-Forwarded",
        "X-Original-Forwarded-For",
        "X-Original-Host",
        "X-Original-URL",
        "X-Real-IP",
        "X-Client-IP",
        "X-Cluster-Client-IP",
        "X-Azure-ClientIP",
        "X-Envoy-External-Address",
        "X-Scheme",
        "X-Url-Scheme",
        "X-Host",
        "X-Request-ID",
        "True-Client-IP",
        "CF-Connecting-IP",
        "CF-Connecting-IPv6",
        "CF-Ray",
        "Fly-Client-IP",
        "Front-End-Https",
        "Forwarded",
        "Via",
    ],
)
def test_the_mailbox_is_closed_to_whatever_a_proxy_handed_on_even_for_this_machine(demo: Flask, name: str) -> None:
    for value in ("203.0.113.7", "127.0.0.1", "http", "localhost:5000", "for=127.0.0.1;host=localhost", ""):
        assert mailbox(demo, **{name: value}) == 404


@pytest.mark.parametrize(("protocol", "status"), [("HTTP/1.1", 200), ("HTTP/1.0", 404), ("HTTP/0.9", 404)])
def test_the_mailbox_is_closed_to_the_old_http_that_proxies_speak(demo: Flask, protocol: str, status: int) -> None:
    page = demo.test_client().get("/mailbox/", environ_overrides={"SERVER_PROTOCOL": protocol})
    assert page.status_code == status


def test_the_mailbox_is_open_whatever_a_browser_says_of_itself(demo: Flask) -> None:
    said = {"Accept-Language": "en-GB", "X-Requested-With": "fetch", "DNT": "1", "Priority": "u=0"}
    assert mailbox(demo, **said) == 200


def test_the_short_cut_to_sign_in_and_its_button_follow_the_same_rule(demo: Flask) -> None:
    client = demo.test_client()
    for strange in ({"X-Forwarded-Proto": "https"}, {"X-Real-IP": "203.0.113.7"}, {"Via": "1.1 proxy"}):
        assert client.post("/demo/sign-in", headers=strange).status_code == 404
        assert "Try it as an organiser" not in client.get("/", headers=strange).text
    assert "Try it as an organiser" in client.get("/", headers={"Host": "localhost:5000"}).text


def told(page) -> tuple[int, str | None, str]:
    """Return an answer's status, what it says became of the form, and its heading."""
    main = re.search(r'<main[^>]*?(?: data-outcome="(\w+)")?>', page.text)
    heading = re.search(r"<h1>(.*?)</h1>", page.text)
    assert main
    assert heading
    return page.status_code, main[1], heading[1]


def test_a_form_without_its_token_is_refused_and_told_what_to_do(client: FlaskClient) -> None:
    page = client.post("/sign-in", data={"email": "p@school.example", "csrf_token": ""})
    assert told(page) == (400, "refused", "We could not take this form")
    assert "Nothing has been changed. Open the page again and fill in the form there." in page.text


def test_a_form_sent_too_often_is_refused_and_told_when_to_try_again(database_url: str) -> None:
    app = make_app(database_url, RATE_LIMITS="on")
    client = app.test_client()
    pages = [client.post("/sign-in", data={"email": ""}) for _ in range(31)]
    assert told(pages[-1]) == (429, "refused", "Too many tries")
    assert "Wait a minute, then try again. Nothing has been changed." in pages[-1].text
    close(app)


@pytest.mark.parametrize(
    ("method", "path", "allowed"),
    [
        ("PUT", "/events/", {"GET", "HEAD", "OPTIONS"}),
        ("GET", "/sign-out", {"POST", "OPTIONS"}),
        ("DELETE", "/sign-in", {"GET", "HEAD", "POST", "OPTIONS"}),
        ("POST", "/feeds/calendar.ics", {"GET", "HEAD", "OPTIONS"}),
        ("PUT", "/api/v1/events", {"GET", "HEAD", "OPTIONS"}),
    ],
)
def test_what_cannot_be_asked_for_in_a_way_says_in_which_it_can(
    client: FlaskClient, method: str, path: str, allowed: set[str]
) -> None:
    answer = client.open(path, method=method)
    assert (answer.status_code, answer.allow.as_set()) == (405, {name.lower() for name in allowed})
    assert answer.mimetype == ("application/json" if path.startswith("/api/") else "text/html")
    assert len(answer.headers.getlist("Content-Type")) == 1


def test_any_form_that_was_not_taken_is_refused_and_a_page_that_is_not_there_is_not(client: FlaskClient) -> None:
    assert told(client.post("/sign-in", data={"email": "\0"})) == (400, "refused", "We could not read that")
    assert told(client.post("/sign-in", data={"email": "x" * 600_000}))[:2] == (413, "refused")
    assert told(client.get("/nothing-here")) == (404, None, "Page not found")
    assert told(client.get("/sign-out"))[:2] == (405, None)
