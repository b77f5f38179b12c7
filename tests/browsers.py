"""A browser without scripts: it sends each form with the token that the page showed."""

import re
from typing import Any

from flask.testing import FlaskClient

from booking.core.clock import now

TOKEN = re.compile(r'name="csrf_token"[^>]*? value="([^"]+)"')
WITH_A_FORM = ("/sign-in", "/accessibility")  # the first for anybody, the second for who may sign out
GOOD_FOR = 11 * 60 * 60  # seconds; a browser that has had its page longer loads it again


class Browser(FlaskClient):
    """A client that remembers the token of the page it saw last; tests that send their own, or none, say so."""

    _token, _seen = "", None

    def open(self, *args: Any, **kwargs: Any) -> Any:
        """Ask for a page; send a form, with the token of the page before it."""
        if kwargs.get("method") == "POST" and _is_form(kwargs):
            data = kwargs.get("data") or {}
            if "csrf_token" not in data:
                kwargs["data"] = {**data, "csrf_token": self.token(kwargs)}
        return self._look_at(super().open(*args, **kwargs))

    def token(self, how: dict[str, Any]) -> str:
        """Return the token of the page seen last; of another page where that showed none."""
        if not self._token or not 0 <= (now() - self._seen).total_seconds() < GOOD_FOR:
            for path in WITH_A_FORM:
                self._look_at(super().open(path, method="GET", **_same_place(how)))
                if self._token:
                    break
        return self._token

    def _look_at(self, page: Any) -> Any:
        if page.mimetype == "text/html" and (found := TOKEN.search(page.text)):
            self._token, self._seen = found[1], now()
        elif "Set-Cookie" in page.headers:  # another session, whose token we have not seen
            self._token = ""
        return page


def _is_form(how: dict[str, Any]) -> bool:
    return "json" not in how and (how.get("data") is None or isinstance(how["data"], dict))


def _same_place(how: dict[str, Any]) -> dict[str, Any]:
    return {name: how[name] for name in ("base_url", "environ_base") if name in how}
