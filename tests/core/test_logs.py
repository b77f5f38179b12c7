"""No log holds a link that is a right by itself: neither ours, nor the web server's at any level."""

import socket
import subprocess
import sys
from contextlib import suppress
from pathlib import Path

import pytest
from flask import Flask

from booking.core.logs import mask
from booking.core.tokens import link_token
from tests.databases import close, make_app
from tests.processes import ROOT, environment, free_port, wait_for

KEY = "AbCdEfGhIjKlMnOp"
SIGN_IN = "Q7m-0Zr_fX2bLq9TnUe3vWc8HsYk1JdA"  # as long as the shortest of them
# What goes wrong beyond the application: the server itself has to say it, with the address in the words of the error.
FAILS = """
from wsgi import app as good

def app(environ, start_response):
    if environ["QUERY_STRING"] == "fails":
        raise ValueError("cannot answer " + environ["PATH_INFO"])
    return good(environ, start_response)
"""


@pytest.mark.parametrize(
    ("path", "kept"),
    [
        ("/bookings/abc123/cancel", "/bookings/…/cancel"),
        ("/places/abc123/", "/places/…/"),
        ("/sign-in/abc123", "/sign-in/…"),
        ("/feeds/my/abc123.ics", "/feeds/my/…"),
        ("/reminders/stop/abc123", "/reminders/stop/…"),
        ("GET /invitations/abc123 HTTP/1.1", "GET /invitations/… HTTP/1.1"),
        ("/events/1/book?invitation=abc123", "/events/1/book?invitation=…"),
        ("/events/1/book?a=1&invitation=abc123&b=2 HTTP/1.1", "/events/1/book?a=1&invitation=…&b=2 HTTP/1.1"),
        ("/sign-in?next=/events/1/book?invitation%3Dabc123", "/sign-in?next=/events/1/book?invitation%3D…"),
        (
            "/sign-in?next=%2Fevents%2F1%2Fbook%3Finvitation%3dabc123",
            "/sign-in?next=%2Fevents%2F1%2Fbook%3Finvitation%3d…",
        ),
        (f"/feeds//my/{SIGN_IN}.ics", "/feeds//my/….ics"),
        (f"/%66eeds/my/{SIGN_IN}.ics", "/%66eeds/my/….ics"),
        (f"/%66eeds/my/%{ord('Q'):x}{SIGN_IN[1:]}", "/%66eeds/my/…"),
        ("/%66eeds/my/" + "".join(f"%{ord(letter):x}" for letter in SIGN_IN), "/%66eeds/my/…"),
        ("/events/1/book", "/events/1/book"),
        (
            "/events/12-emotional-literacy-support-assistants-meet",
            "/events/12-emotional-literacy-support-assistants-meet",
        ),
    ],
)
def test_links_that_are_a_right_are_masked_in_the_log(
    app: Flask, caplog: pytest.LogCaptureFixture, path: str, kept: str
) -> None:
    app.logger.warning("Slow: GET %s", path)
    assert caplog.messages == [f"Slow: GET {kept}"]


def test_a_traceback_is_masked_too(app: Flask, caplog: pytest.LogCaptureFixture) -> None:
    try:
        int("/places/abc123/")
    except ValueError:
        app.logger.exception("It failed")
    assert caplog.text.endswith("ValueError: invalid literal for int() with base 10: '/places/…/'\n")


def test_every_address_with_a_token_is_masked_whatever_the_token(in_app: Flask) -> None:
    rules = [rule for rule in in_app.url_map.iter_rules() if "token" in rule.arguments]
    assert len(rules) > 20
    adapter = in_app.url_map.bind("localhost")
    for rule in rules:
        for token in (link_token("any", KEY), link_token("any", KEY + KEY), SIGN_IN, "short"):
            values = {name: token if name == "token" else 1 for name in rule.arguments}
            assert token not in mask(f'"GET {adapter.build(rule.endpoint, values)} HTTP/1.1"')
    assert mask(f"Invalid Request Line {link_token('any', KEY)}") == "Invalid Request Line …"


def ask(port: int, request: str) -> None:
    """Send these very bytes, and read to the end."""
    with socket.create_connection(("127.0.0.1", port), timeout=10) as connection, suppress(ConnectionResetError):
        connection.sendall(request.encode("latin-1"))
        connection.shutdown(socket.SHUT_WR)
        while connection.recv(65536):
            pass


HOST = "Host: calendar.example.org\r\n"


@pytest.mark.parametrize("worker", ["sync", "gthread"])
def test_gunicorn_writes_no_token_at_any_level_whatever_is_asked(tmp_path: Path, worker: str) -> None:
    """Its access log with the page that led there, its debug level, requests that it cannot read, and what fails."""
    (tmp_path / "failing.py").write_text(FAILS)
    signing = make_app("sqlite://")
    with signing.app_context():
        tokens = {purpose: link_token(purpose, KEY) for purpose in ("feed", "booking", "feed of a school", "return")}
    close(signing)
    port = free_port()
    log = tmp_path / "log"
    command = [sys.executable, "-m", "gunicorn", "failing:app", "-b", f"127.0.0.1:{port}", "-k", worker]
    command += ["--threads", "2"] if worker == "gthread" else []
    command += ["--pythonpath", f"{ROOT},{tmp_path}", "--no-control-socket", "--access-logfile", "-"]
    with log.open("w") as output:
        # A database without tables: each page fails, and the application logs it.
        server = subprocess.Popen(
            [*command, "--log-level", "debug"], env=environment("sqlite://"), cwd=ROOT, stdout=output, stderr=output
        )
        try:
            wait_for(f"http://127.0.0.1:{port}/healthz")
            for token in (*tokens.values(), SIGN_IN):
                for path in (f"/feeds/my/{token}.ics", f"/bookings/{token}/", f"/events/1/book?invitation={token}"):
                    ask(port, f"GET {path} HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n")
                    came_from = f"{HOST}Referer: http://calendar.example.org{path}\r\nConnection: close\r\n\r\n"
                    ask(port, f"GET /healthz HTTP/1.1\r\n{came_from}")
                    ask(
                        port,
                        f"GET {path.split('?')[0]}?fails HTTP/1.1\r\n{HOST}Connection: close\r\n\r\n",
                    )
                    for broken in (
                        f"GET {path} and more HTTP/1.1\r\n\r\n",
                        f"GET {path} HTTP/9.9\r\n\r\n",
                        f"{token} {path} HTTP/1.1\r\n\r\n",
                        f"GET {path} HTTP/1.1\r\nBad header {token}\r\n\r\n",
                        f"GET {path} HTTP/1.1\r\n{token} : x\r\n\r\n",
                        f"GET {path} HT",
                    ):
                        ask(port, broken)
        finally:
            server.terminate()
            server.wait(timeout=20)
    written = log.read_text()
    assert [token for token in (*tokens.values(), SIGN_IN, KEY) if token in written] == []
    for part in ('"GET /bookings/…/ HTTP/1.1" 500', "Error handling request", "ValueError: cannot answer /bookings/…/"):
        assert part in written
    assert "Invalid request from ip=127.0.0.1" in written
    assert '"http://calendar.example.org/bookings/…/"' in written
    assert "Exception on /feeds/my/… [GET]" in written
