"""Browsers in which somebody signed in before: a cookie tells them, and no stranger's asking counts against them.

The cookie holds a random key of the browser for each of the last few people, signed for that person. It opens
nothing. It is worthless once its person has signed out everywhere.
"""

from booking.core.tokens import key_of, link_token, new_key
from booking.directory.models import Person

LASTS = 365 * 24 * 60 * 60  # seconds
MOST_PEOPLE = 5  # the computer of a staff room


def key_for(person: Person | None, cookie: str) -> str | None:
    """Return the browser's key where this person has signed in with it, else None."""
    keys = (key_of(_purpose(person), token) for token in _tokens(cookie)) if person else ()
    return next((key for key in keys if key), None)


def remember(person: Person, cookie: str) -> str:
    """Return what the cookie is to hold after this person signed in; who came longest ago makes room."""
    mine = link_token(_purpose(person), key_for(person, cookie) or new_key())
    return ".".join([mine, *(token for token in _tokens(cookie) if token != mine)][:MOST_PEOPLE])


def _tokens(cookie: str) -> list[str]:
    return cookie.split(".", MOST_PEOPLE)[:MOST_PEOPLE] if cookie and len(cookie) <= MOST_PEOPLE * 60 else []


def _purpose(person: Person) -> str:
    return f"known browser of {person.id}:{person.session_key}"
