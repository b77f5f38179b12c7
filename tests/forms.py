"""What a page says and asks, read as a browser without scripts would: its forms, its outcome, its errors."""

import re
from html.parser import HTMLParser
from typing import Any

from flask.testing import FlaskClient


class Forms(HTMLParser):
    """The forms of a page as a browser would send them: each by its address, with the values it shows."""

    def __init__(self, page: Any) -> None:
        super().__init__()
        self.forms: dict[str, dict[str, list[str]]] = {}
        self.to_tick: set[str] = set()
        self._here, self._form = page.request.path, {}
        self._select, self._text = "", ""
        self.feed(page.text)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        at = {name: value or "" for name, value in attrs}
        if tag == "form":
            self._form = self.forms.setdefault(at.get("action") or self._here, {})
        elif tag == "input" and (at.get("type") not in {"checkbox", "radio"} or "checked" in at):
            self._form.setdefault(at.get("name", ""), []).append(at.get("value", ""))
        elif tag == "input":
            self.to_tick.add(at.get("name", ""))
        elif tag == "select":
            self._select = at["name"]
        elif tag == "option" and ("selected" in at or self._select not in self._form):
            self._form[self._select] = [at["value"]]
        elif tag == "textarea":
            self._text = at["name"]
            self._form[self._text] = [""]

    def handle_data(self, data: str) -> None:
        if self._text:
            self._form[self._text][0] += data.lstrip("\n")

    def handle_endtag(self, tag: str) -> None:
        if tag == "textarea":
            self._text = ""


def form_at(client: FlaskClient, path: str, action: str = "") -> dict[str, list[str]]:
    """Return the form of a page as it was rendered."""
    page = client.get(path)
    assert page.status_code == 200
    return Forms(page).forms[action or path.partition("?")[0]]


def send(client: FlaskClient, path: str, action: str = "", **changes: Any):
    """Load a page, change its form as somebody would, send it, and return the page that follows."""
    page = client.get(path)
    assert page.status_code == 200
    read = Forms(page)
    form = read.forms[action or path.partition("?")[0]]
    assert set(changes) <= set(form) | read.to_tick | {"audiences"}  # the last: there may be none to tick
    return client.post(action or path.partition("?")[0], data={**form, **changes}, follow_redirects=True)


def outcome(page: Any) -> str | None:
    found = re.search(r'<main[^>]*data-outcome="(\w+)"', page.text)
    return found and found[1]


def errors(page: Any) -> list[tuple[str, str]]:
    """Return what the summary says; each leads to a field that is there and tied to what is said of it."""
    summary = re.search(r'govuk-error-summary__list">(.*?)</ul>', page.text, re.DOTALL)
    found = re.findall(r'<a href="#([^"]+)">(.*?)</a>', summary[1] if summary else "")
    for field, _ in found:
        assert f' id="{field}"' in page.text
    return found


def told(page: Any) -> list[str]:
    return re.findall(r'role="status">([^<]+)<', page.text)
