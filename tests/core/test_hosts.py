"""What the Host header may decide: whether there is an answer, and nothing else."""

import re
from collections.abc import Iterator

import pytest
from flask import Flask

from tests.databases import close, make_app
from tests.factories import make_area, make_event, make_person

EVIL = "evil.example"
SECURE = "https://calendar.example.org"


def made(database_url: str, **settings: str) -> Flask:
    app = make_app(database_url, **settings)
    with app.app_context():
        make_area()
        make_event()
    return app


@pytest.fixture(params=["http://calendar.example.org", SECURE])
def named(request: pytest.FixtureRequest, database_url: str) -> Iterator[Flask]:
    """An application whose BASE_URL is set."""
    app = made(database_url, BASE_URL=request.param)
    yield app
    close(app)


@pytest.fixture
def unnamed(database_url: str) -> Iterator[Flask]:
    """An application without a BASE_URL, as on somebody's own machine."""
    app = made(database_url, BASE_URL="")
    yield app
    close(app)


@pytest.mark.parametrize(
    "host",
    [
        EVIL,
        "calendar.example.org.evil.example",
        "evil.example:443",
        "evil@localhost",
        "192.0.2.4",
        "0.0.0.0",
        "",
        "a b",
    ],
)
@pytest.mark.parametrize("path", ["/", "/sign-in", "/events", "/feeds/calendar.ics", "/static/app.css", "/nothing"])
def test_a_name_that_is_not_ours_gets_no_page(named: Flask, host: str, path: str) -> None:
    page = named.test_client().get(path, headers={"Host": host})
    assert (page.status_code, page.text) == (400, "This website does not answer under that name.\n")
    assert (page.mimetype, page.headers.get("Location")) == ("text/plain", None)


@pytest.mark.parametrize("path", ["/healthz", "/readyz"])
@pytest.mark.parametrize("host", [EVIL, "10.0.0.7:8000", "", "localhost"])
def test_probes_are_answered_under_any_name(named: Flask, path: str, host: str) -> None:
    page = named.test_client().get(path, headers={"Host": host})
    assert (page.status_code, EVIL in page.text) == (200, False)


@pytest.mark.parametrize(
    "host", ["calendar.example.org", "CALENDAR.example.org", "calendar.example.org:8443", "localhost:5000", "[::1]"]
)
def test_our_own_name_and_those_of_this_machine_are_answered(named: Flask, host: str) -> None:
    page = named.test_client().get("/sign-in", base_url=f"https://{host}")
    assert page.status_code == 200


REDIRECTS = [("/events", "/events/"), ("/events//", "/events/"), ("/my/", None)]


@pytest.mark.parametrize(("path", "to"), REDIRECTS)
@pytest.mark.parametrize("host", ["localhost", EVIL, "evil.example:5000"])
def test_without_a_base_url_redirects_name_no_host_either(unnamed: Flask, path: str, to: str | None, host: str) -> None:
    page = unnamed.test_client().get(path, base_url=f"http://{host}")
    assert page.status_code in {302, 308}
    assert page.headers["Location"] == (to or "/sign-in?next=/my/")
    assert EVIL not in page.text or page.status_code == 308  # a body that nobody shows


@pytest.mark.parametrize(
    "path", ["//evil.example/events", "/%2Fevil.example/events", "/\\evil.example/events", "///events"]
)
def test_no_path_is_read_as_another_host(unnamed: Flask, path: str) -> None:
    page = unnamed.test_client().get(path)
    assert not re.match(r"(?:[a-z]+:)?[/\\]{2}", page.headers.get("Location", ""))


def test_the_way_to_https_leads_to_the_name_of_base_url_whatever_port_was_asked_for(database_url: str) -> None:
    app = made(database_url, BASE_URL=SECURE)
    for host in ("calendar.example.org", "calendar.example.org:9999", "localhost:5000"):
        page = app.test_client().get("/events/?q=a", base_url=f"http://{host}")
        assert (page.status_code, page.headers["Location"]) == (302, f"{SECURE}/events/?q=a")
    close(app)


@pytest.mark.parametrize(("base_url", "name"), [(SECURE, "__Host-session"), ("http://calendar.example.org", "session")])
def test_over_https_the_cookie_is_bound_to_this_host(database_url: str, base_url: str, name: str) -> None:
    app = made(database_url, BASE_URL=base_url)
    client = app.test_client()
    cookie = client.get("/sign-in", base_url=base_url).headers["Set-Cookie"]
    parts = cookie.split("; ")
    assert parts[0].startswith(f"{name}=")
    wanted = {"HttpOnly", "Path=/", "SameSite=Lax", *(["Secure"] if name != "session" else [])}
    assert {part for part in parts[1:] if not part.startswith("Expires")} == wanted
    with app.app_context():
        person = make_person()
    with client.session_transaction(base_url=base_url) as session:
        session["_user_id"] = f"{person.id}:{person.session_key}"
    assert "Signed in as" in client.get("/my/", base_url=base_url).text
    close(app)


def security(app: Flask) -> tuple[int, dict[str, str]]:
    page = app.test_client().get("/.well-known/security.txt")
    lines = page.text.splitlines() if page.mimetype == "text/plain" else []
    return page.status_code, dict(line.split(": ", 1) for line in lines)


@pytest.mark.parametrize(
    ("contact", "said"),
    [
        ("security@example.org", "mailto:security@example.org"),
        ("mailto:security@example.org", "mailto:security@example.org"),
        ("https://example.org/report", "https://example.org/report"),
        ("tel:+44-20-7946-0000", "tel:+44-20-7946-0000"),
        ("", "mailto:team@vale-marsh.example"),
    ],
)
def test_security_txt_says_whom_to_tell(database_url: str, contact: str, said: str) -> None:
    app = make_app(database_url, SECURITY_CONTACT=contact)
    with app.app_context():
        make_area(email="team@vale-marsh.example")
    status, found = security(app)
    assert (status, found.pop("Expires").endswith("T00:00:00Z")) == (200, True)
    assert found == {
        "Contact": said,
        "Preferred-Languages": "en",
        "Canonical": "http://calendar.example.org/.well-known/security.txt",
    }
    close(app)


def test_without_anybody_to_tell_there_is_no_security_txt(database_url: str) -> None:
    app = make_app(database_url)
    assert security(app)[0] == 404
    with app.app_context():
        make_area(email="")
    assert security(app)[0] == 404
    close(app)
