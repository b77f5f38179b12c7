"""What every page needs: headers, static files with lasting addresses, limits, error pages."""

import hashlib
import logging
import re
from collections.abc import Callable
from functools import lru_cache
from pathlib import Path
from typing import Any, TypeVar

import sqlalchemy as sa
from flask import Flask, Response, abort, current_app, g, render_template, request, url_for
from flask.sessions import SecureCookieSessionInterface, SessionMixin
from flask_compress import Compress
from flask_limiter import Limiter
from flask_limiter.util import get_remote_address
from flask_talisman import Talisman
from jinja2 import ChoiceLoader, PackageLoader, PrefixLoader
from werkzeug.exceptions import HTTPException, InternalServerError
from werkzeug.middleware.proxy_fix import ProxyFix
from werkzeug.routing import IntegerConverter, Map
from whitenoise import WhiteNoise

from booking.core import expired, logs
from booking.core.db import db
from booking.core.errors import Refused
from booking.core.health import SAY, Trouble, trouble_of
from booking.core.hosts import KnownHosts, is_loopback, names_this_machine
from booking.core.settings import Settings
from booking.core.slices import say_some

LARGEST_NUMBER = 2**31 - 1
# What proxies add to a request that they hand on: whose it is, how and under which name it came, that it was theirs.
_HANDED_ON = re.compile(
    r".*forwarded.*|via|.*ip(v[46])?|.*-external-address|x-(original|host|scheme|url-scheme|ssl|https|proxy|envoy|arr|amz).*"
    r"|x-request-id|front-end-https|(cf|cdn|fly|proxy)-.*",
    re.IGNORECASE,
)
RETRY_AFTER = 30  # seconds
UNKNOWN = "We do not know whether it was taken: look for our email before you try again."
log = logging.getLogger(__name__)
F = TypeVar("F", bound=Callable[..., object])
STATIC = Path(__file__).parents[1] / "static"
POLICY = {
    "default-src": "'self'",
    "img-src": "'self' data:",
    "form-action": "'self'",
    "base-uri": "'none'",
    "object-src": "'none'",
    "frame-ancestors": "'none'",
}


class PrivateSessions(SecureCookieSessionInterface):
    """Sessions in a signed cookie, which never travels with an answer that others may be given too.

    Nor with a calendar: programs ask for it without one, and files of it are passed on.
    """

    def save_session(self, app: Flask, session: SessionMixin, response: Response) -> None:
        """Set the cookie and `Vary: Cookie` where the answer is a page for one visitor."""
        if not response.cache_control.public and response.mimetype != "text/calendar":
            super().save_session(app, session, response)


class RowNumber(IntegerConverter):
    """A number in an address: none that a database cannot hold, so that an unknown one is just not found."""

    def __init__(self, url_map: Map, *args: Any, **kwargs: Any) -> None:
        super().__init__(url_map, *args, **{"max": LARGEST_NUMBER, **kwargs})


# While Redis is away each process counts for itself: a limit must not keep people from booking. Errors are swallowed
# besides, as Flask-Limiter falls back for the thread that fails first alone.
limiter = Limiter(get_remote_address, headers_enabled=True, in_memory_fallback_enabled=True, swallow_errors=True)
compress = Compress()


def init_app(app: Flask, settings: Settings) -> None:
    """Give the application its headers, limits, static files and error pages."""
    app.session_interface = PrivateSessions()
    app.url_map.converters["int"] = RowNumber
    limiter.init_app(app)
    compress.init_app(app)
    Talisman(
        app,
        force_https=settings.is_https,
        session_cookie_secure=settings.is_https,
        strict_transport_security=settings.is_https,
        content_security_policy=POLICY,
        referrer_policy="same-origin",
        permissions_policy={"camera": "()", "geolocation": "()", "microphone": "()"},
    )
    if settings.is_https and not settings.demo:
        app.wsgi_app = ProxyFix(app.wsgi_app, x_for=1, x_proto=1)  # type: ignore[method-assign]
    app.wsgi_app = WhiteNoise(  # type: ignore[method-assign]
        app.wsgi_app, root=str(STATIC), prefix="static/", max_age=3600, immutable_file_test=_has_lasting_address
    )
    if settings.base_url_was_set:
        app.wsgi_app = KnownHosts(app.wsgi_app, settings.base_url)  # type: ignore[method-assign]
    loader = app.jinja_loader
    assert loader is not None
    app.jinja_loader = ChoiceLoader(
        [loader, PrefixLoader({"govuk_frontend_jinja": PackageLoader("govuk_frontend_jinja")})]
    )
    app.jinja_env.globals["asset"] = asset
    app.jinja_env.filters["some"] = say_some
    app.register_error_handler(Refused, _refused)
    app.register_error_handler(sa.exc.SQLAlchemyError, _database_away)
    app.register_error_handler(HTTPException, _error_page)
    app.before_request(_refuse_null_characters)
    app.after_request(_keep_private)
    app.after_request(_lead_to_our_own_name)
    expired.init_app(app)
    logs.init_app(app)


def asset(path: str) -> str:
    """Return the address of a static file, with its content's hash: it may be kept for ever."""
    return url_for("static", filename=path, v=_fingerprint(path))


@lru_cache
def _fingerprint(path: str) -> str:
    return hashlib.sha256((STATIC / path).read_bytes()).hexdigest()[:10]


def _has_lasting_address(_path: str, url: str) -> bool:
    """Tell whether a static file is named with its hash: all are, but the one that app.js imports."""
    return not url.endswith("/govuk-frontend.min.js")


def row_number(text: str) -> int:
    """Return the number of a row that somebody sent; raise ValueError for what cannot be one."""
    if not (text.isascii() and text.isdecimal() and len(text) <= 10 and int(text) <= LARGEST_NUMBER):
        raise ValueError("not the number of a row")
    return int(text)


def from_this_machine() -> bool:
    """Tell whether the request comes from this very machine, and directly: no proxy, here or elsewhere, handed it on.

    It is what the demo's short cuts ask. A proxy may tell little: one header of those they add, or the HTTP/1.0 that
    many speak, is enough to refuse. The name asked for has to be this machine's too: a page elsewhere can let a name
    of its own lead here (DNS rebinding), and would read what the browser reads.
    """
    return (
        is_loopback(request.remote_addr or "")
        and names_this_machine(request.host)
        and request.environ.get("SERVER_PROTOCOL") not in {"HTTP/0.9", "HTTP/1.0"}
        and not any(_HANDED_ON.fullmatch(name) for name, _ in request.headers)
    )


def _refuse_null_characters() -> None:
    """Refuse what no page of ours sends, and PostgreSQL does not take."""
    if "\0" in request.path:
        abort(404)
    if any("\0" in value for values in (request.args, request.form) for _, value in values.items(multi=True)):
        abort(400)


def _keep_private(response: Response) -> Response:
    """Let no cache share a page; what shows somebody's data is not kept at all."""
    if "Cache-Control" not in response.headers:
        view = current_app.view_functions.get(request.endpoint or "")
        is_personal = getattr(view, "guard", "public") != "public"
        response.headers["Cache-Control"] = "private, no-store" if is_personal else "private, no-cache"
    return response


def _lead_to_our_own_name(response: Response) -> Response:
    """Write redirects without the name that was asked for; the one to HTTPS leads to that of BASE_URL."""
    here = re.match(rf"(https?)://{re.escape(request.host)}(?=/|$)", response.headers.get("Location", ""))
    if here:
        path = "/" + here.string[here.end() :].lstrip("/\\")  # a path that begins with two would name another host
        base = str(current_app.config["BASE_URL"]) if here[1] == "https" and not request.is_secure else ""
        response.headers["Location"] = base + path
    return response


def plain_http(view: F) -> F:
    """Let a check on this very machine ask without HTTPS."""
    view.talisman_view_options = {"force_https": False}  # type: ignore[attr-defined]
    return view


def _database_away(error: sa.exc.SQLAlchemyError) -> tuple[str | dict[str, str], int, dict[str, str]]:
    """Say what we know where the database cannot be used. The page reads no row: the next try would fail too."""
    trouble = trouble_of(error)
    if trouble is None:
        raise error
    g.without_rows = True
    db.session.rollback()
    log.error("%s: %s", request.method, SAY[trouble])
    if trouble in {Trouble.FULL, Trouble.READ_ONLY}:
        title, sentence = "We cannot save anything just now", "Nothing has been changed. Try again later."
    elif request.method == "POST":
        title, sentence = "We are having trouble", UNKNOWN
    else:
        title, sentence = "We are having trouble", "We cannot show this page just now. Try again in a minute."
    headers = {"Retry-After": str(RETRY_AFTER), "Cache-Control": "no-store"}
    if request.path.startswith("/api/"):
        return {"error": sentence}, 503, headers
    return render_template("errors/error.html", code=503, title=title, sentence=sentence), 503, headers


def _refused(refused: Refused) -> tuple[str, int]:
    return render_template("errors/refused.html", sentence=refused.sentence, outcome="refused"), 409


ERRORS = {
    400: (
        "We could not read that",
        "Something in the address or the form was not as it should be. Nothing has been changed.",
    ),
    403: (
        "This is not yours to open",
        "It belongs to the team of the partnership, or to somebody else. Signing in may help.",
    ),
    404: ("Page not found", "The address may be mistyped or old, or the page is not for everyone."),
    405: ("This page cannot be asked for in that way", "Go back and use the form on the page."),
    410: ("This address has been stopped", "Whoever gave it out has replaced it."),
    413: ("That is too large", "Send a smaller file or a shorter text. Nothing has been changed."),
    429: ("Too many tries", "Wait a minute, then try again. Nothing has been changed."),
    500: ("Something went wrong on our side", "Nothing has been changed. Try again in a few minutes."),
    503: ("We are not ready", "Try again in a minute."),
}


def _error_page(error: HTTPException) -> tuple[str | dict[str, str], int, list[tuple[str, str]]] | HTTPException:
    code = error.code or 500
    if code < 400 or error.response is not None:
        return error
    if isinstance(error, InternalServerError):
        db.session.rollback()
        g.without_rows = True  # whatever failed may have been what the frame of a page reads
    title, sentence = ERRORS.get(code, (error.name, "Go back and try another way."))
    # What HTTP says of it besides: which methods are allowed (405).
    said = [(name, value) for name, value in error.get_headers() if name != "Content-Type"]
    if request.path.startswith("/api/"):  # also where nothing is
        return {"error": error.description or error.name}, code, said
    # A form that was not taken; a search or a calendar client that asks too often is told so as well.
    refused = code == 429 or (code < 500 and request.method == "POST")
    outcome = {"outcome": "refused"} if refused else {}
    return render_template("errors/error.html", code=code, title=title, sentence=sentence, **outcome), code, said
