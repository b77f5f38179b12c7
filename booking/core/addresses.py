"""Addresses as mails and feeds write them: whole, under BASE_URL, also outside a request."""

from typing import Any
from urllib.parse import urlsplit

from flask import current_app


def absolute(endpoint: str, **values: Any) -> str:
    """Return the whole address of a page."""
    base = urlsplit(str(current_app.config["BASE_URL"]))
    adapter = current_app.url_map.bind(base.netloc, url_scheme=base.scheme)
    return adapter.build(endpoint, values, force_external=True)


def under_base(path: str) -> str:
    """Return the whole address of a path that begins with a slash."""
    return f"{current_app.config['BASE_URL']}{path}"
