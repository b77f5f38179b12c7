"""One application for many tests: what a test may change of it, or of this process, is as new for the next."""

import sys
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import cache

from flask import Flask

from booking.calendar import bank_holidays
from booking.core import web
from booking.core.web import limiter
from booking.demo import plan
from booking.feeds.cache import Store
from tests import databases

# They answer from what they are asked, or from a file of the program: what one test was told holds for the next.
PURE = (bank_holidays._of_year, plan._rows, web._fingerprint)


_apps: list[Flask] = []


@cache
def shared_app(database_url: str, demo: str = "0") -> Flask:
    """Return this process's application on a database.

    It has answered a request: from then on Flask itself refuses whatever would add a page, a hook or a filter to it.
    """
    app = databases.make_app(database_url, DEMO=demo)
    _apps.append(app)
    app.test_client().get("/healthz")
    return app


@contextmanager
def lent(app: Flask) -> Iterator[Flask]:
    """Lend an application to one test, and put its settings back afterwards."""
    settings = dict(app.config)
    try:
        yield app
    finally:
        app.config.clear()
        app.config.update(settings)
        databases.close(app)


def forget() -> None:
    """Clear what the program keeps between requests: this process is as one that has just started."""
    for clear in _kept():
        clear()
    for app in _apps:
        app.extensions["kept answers"].clear()
    limiter.enabled = False  # an application with limits switches them on for every other of its process


@cache
def _kept() -> list[Callable[[], None]]:
    modules = [module for name, module in sys.modules.items() if name.partition(".")[0] == "booking"]
    values = [value for module in modules for value in vars(module).values()]
    stores = [value.clear for value in values if isinstance(value, Store)]
    caches = [
        value for value in values if type(value) is type(web._fingerprint)
    ]  # a look at any attribute wakes proxies
    return [*stores, *(cache.cache_clear for cache in caches if cache not in PURE)]
