"""Logs never hold a link that is a right by itself, whoever writes them: we, or the web server we run in."""

import logging
import re

from flask import Flask

from booking.core.tokens import OWN_PAGES

# gunicorn's own, and that of `flask run`. They are masked where all is logged, whatever class or setting of theirs.
SERVERS = ("gunicorn.error", "gunicorn.access", "werkzeug")
# An invitation also where it is the page after signing in.
_AFTER_ITS_PLACE = re.compile(rf"({OWN_PAGES}|invitation(?:=|%3[Dd]))[^/\s&\"']+")
# The shortest, a link to sign in, has 32 letters; any of them may be sent as `%41`.
_ESCAPED_LETTER = r"%(?:2[Dd]|3[0-9]|[46][1-9A-Fa-f]|5[0-9AaFf]|7[0-9Aa])"
_LONG_WORD = re.compile(rf"(?:[A-Za-z0-9_-]|{_ESCAPED_LETTER}){{32,}}")


def mask(text: str) -> str:
    """Return the text without tokens: what stands in a token's place, and whatever may be one in any other.

    The other places are addresses as nobody should write them, which lead to the page all the same (`/feeds//my/…`,
    `/%66eeds/my/…`), and requests that cannot be read. A random token has capital letters; the words of an
    address of ours have none.
    """
    return _LONG_WORD.sub(_unless_words, _AFTER_ITS_PLACE.sub(r"\1…", text))


def _unless_words(found: re.Match[str]) -> str:
    return "…" if any(letter.isupper() or letter == "%" for letter in found[0]) else found[0]


class MaskLinks(logging.Filter):
    """Masks what is logged, the traceback too."""

    def filter(self, record: logging.LogRecord) -> bool:
        """Write the record anew; nothing is left out."""
        record.msg, record.args = mask(record.getMessage()), ()
        if record.exc_info:
            record.exc_text = mask(logging.Formatter().formatException(record.exc_info))
        return True


MASK = MaskLinks()


def init_app(app: Flask) -> None:
    """Mask the application's log and those of the web server that loads it: before its first request."""
    for log in (app.logger, *map(logging.getLogger, SERVERS)):
        log.addFilter(MASK)
