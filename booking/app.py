"""The application, put together."""

import os
from collections.abc import Mapping
from contextlib import suppress
from pathlib import Path

from flask import Flask
from sqlalchemy.engine import make_url

from booking import cli, site
from booking.core import db, web
from booking.core.limits import PATIENT
from booking.core.settings import Settings
from booking.directory.guards import login, remember_origin
from booking.feeds.kept import KeptAnswers

MAX_BODY = 512 * 1024  # the longest form, with room, and a list of contacts

POOL_WAITS = 5  # seconds for a connection to come free; who waits longer is told to try again
# A server that is away or hangs is noticed: seconds to connect, milliseconds until what was sent has to be received.
PATIENCE = {"connect_timeout": 3, "tcp_user_timeout": 10_000, "keepalives_idle": 30}
QUIET = {"hide_parameters": True}  # an error in the log must not tell who booked


def create_app(environ: Mapping[str, str] | None = None) -> Flask:
    """Build the application from the environment and the `.env` file, or from the settings given here alone.

    Raises SettingsError where a setting is bad.
    """
    settings = Settings.load(os.environ) if environ is None else Settings.load(environ, env_file=None)
    app = Flask(__name__)
    app.config.update(_config(settings))
    app.extensions["settings"] = settings
    db.init_app(app)
    # Innermost, so that it sees requests as proxies and static files have left them.
    app.wsgi_app = KeptAnswers(app)  # type: ignore[method-assign]
    web.init_app(app, settings)
    login.init_app(app)
    app.before_request(remember_origin)
    site.init_app(app)
    cli.init_app(app)
    return app


def _config(settings: Settings) -> dict[str, object]:
    return {
        "SECRET_KEY": settings.secret_key,
        "SQLALCHEMY_DATABASE_URI": settings.database_url,
        "SQLALCHEMY_ENGINE_OPTIONS": _engine_options(settings.database_url),
        "BASE_URL": settings.base_url,
        "SECURITY_CONTACT": settings.security_contact,
        "DEMO": settings.demo,
        "MAIL_DEFAULT_SENDER": settings.mail_default_sender,
        "MAX_CONTENT_LENGTH": MAX_BODY,
        "MAX_FORM_MEMORY_SIZE": MAX_BODY,
        # Browsers take a name that begins so over HTTPS alone, for all paths, and from this very host.
        "SESSION_COOKIE_NAME": "__Host-session" if settings.is_https else "session",
        "SESSION_COOKIE_SECURE": settings.is_https,
        "SESSION_COOKIE_PATH": "/",
        "SESSION_COOKIE_SAMESITE": "Lax",
        "SESSION_COOKIE_HTTPONLY": True,
        "PERMANENT_SESSION_LIFETIME": 60 * 60 * 24 * 30,
        "WTF_CSRF_TIME_LIMIT": 60 * 60 * 12,
        "RATELIMIT_ENABLED": settings.rate_limits,
        "RATELIMIT_STORAGE_URI": f"{PATIENT}{settings.redis_url}" if settings.redis_url else "memory://",
        "COMPRESS_MIMETYPES": ["text/html", "application/json", "text/csv"],
    }


def _engine_options(database_url: str) -> dict[str, object]:
    url = make_url(database_url)
    if url.get_backend_name() == "sqlite":
        if url.database and url.database != ":memory:":
            with suppress(OSError):  # the database then says that it cannot be opened
                Path(url.database).absolute().parent.mkdir(parents=True, exist_ok=True)
            return {"pool_size": 20, "max_overflow": 20, "pool_timeout": POOL_WAITS, **QUIET}
        return {**QUIET}
    # What is read under a lock is what was committed last, whatever the server's default is.
    return {
        "pool_size": 10,
        "max_overflow": 10,
        "pool_timeout": POOL_WAITS,
        "pool_pre_ping": True,
        "isolation_level": "READ COMMITTED",
        "connect_args": PATIENCE,
        **QUIET,
    }
