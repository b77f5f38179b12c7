"""The bytes of an e-mail: headers and parts as RFC 5322, 2045, 2047 and 6047 have them. Pure.

Written directly: the standard library takes ten times as long to make the same. It is asked where something is hard:
an unusual address, encoded words, a line that is folded. Never is its parser given text from outside: it decodes what
looks like an encoded word, into line breaks and further addresses.
"""

import re
from base64 import encodebytes
from email.header import Header
from email.headerregistry import Address
from email.utils import format_datetime
from functools import lru_cache

from booking.core.text import one_line
from booking.notifications.models import Message

LONGEST_LINE, LONGEST_WORD = 76, 60
_WORD = r"[A-Za-z0-9_%+'-]+"
_USUAL_ADDRESS = re.compile(rf"({_WORD}(?:\.{_WORD})*)@([A-Za-z0-9-]+(?:\.[A-Za-z0-9-]+)*)")
# It begins with two hyphens where it stands, and parts in Base64 hold none.
_BOUNDARY = "alternative-of-this-mail"


def write(message: Message, *, sender: str) -> bytes:
    """Return an outbox row as it is sent: text, HTML, and the calendar part last inside the alternative (RFC 6047).

    The same row gives the same bytes, and any text of it can be written. Raises ValueError where an address cannot be.
    """
    parts = [_part('text/plain; charset="utf-8"', message.text), _part('text/html; charset="utf-8"', message.html)]
    if message.calendar:
        method = message.calendar_method or "REQUEST"
        parts.append(_part(f'text/calendar; charset="utf-8"; method="{method}"', message.calendar))
    return b"".join([*_headers(message, sender), b"\r\n", *parts, f"--{_BOUNDARY}--\r\n".encode()])


def _headers(message: Message, sender: str) -> list[bytes]:
    headers = [
        _address("From", message.from_name, sender),
        _address("To", message.to_name, message.to_email),
        _address("Reply-To", "", message.reply_to) if message.reply_to else b"",
        _subject(message.subject),
        _header("Date", format_datetime(message.created_at)),
        _whole("Message-ID", message.message_id),
    ]
    if message.automatic:
        headers.append(_header("Auto-Submitted", "auto-generated"))
    if message.unsubscribe:
        headers.append(_whole("List-Unsubscribe", f"<{message.unsubscribe}>"))
        headers.append(_header("List-Unsubscribe-Post", "List-Unsubscribe=One-Click"))
    if message.list_id:
        headers.append(_whole("List-Id", f"<{message.list_id}>"))
    headers.append(_header("MIME-Version", "1.0"))
    headers.append(_header("Content-Type", f'multipart/alternative; boundary="{_BOUNDARY}"'))
    return headers


def _part(kind: str, text: str) -> bytes:
    """Return a part in Base64: quoted-printable of the standard library may write lines of 77 characters."""
    body = encodebytes(b"\r\n".join([*_sound(text).encode().splitlines(), b""])).replace(b"\n", b"\r\n")
    return f"--{_BOUNDARY}\r\nContent-Type: {kind}\r\nContent-Transfer-Encoding: base64\r\n\r\n".encode() + body


@lru_cache(maxsize=1_000)
def _address(name: str, who: str, address: str) -> bytes:
    """Return a header with exactly one address. A name that is not short and plain is written as encoded words."""
    who, address = one_line(_sound(who)), _addr_spec(address)
    if not who:
        return f"{name}: {address}\r\n".encode("ascii")
    there = f"<{address}>"
    if who.isascii() and "=?" not in who:
        line = f"{name}: {Address(who)}"[: -len(" <>")]
        if len(f"{line} {there}") <= LONGEST_LINE:
            return f"{line} {there}\r\n".encode("ascii")
    words = Header(who, "utf-8", maxlinelen=LONGEST_LINE, header_name=name).encode(linesep="\r\n")
    last = f"{name}: {words}".rpartition("\n")[2]
    space = " " if len(f"{last} {there}") <= LONGEST_LINE else "\r\n "
    return f"{name}: {words}{space}{there}\r\n".encode("ascii")


def _addr_spec(address: str) -> str:
    """Return the address as it stands in a header. Raises ValueError where it is none, or would be read as another."""
    if _USUAL_ADDRESS.fullmatch(address):
        return address
    if not address.isascii() or not address.isprintable() or "=?" in address:
        raise ValueError("this is no email address")
    written = Address(addr_spec=address).addr_spec
    if written != address:
        raise ValueError("this is no email address")
    return written


def _sound(text: str) -> str:
    """Return the text with `?` for halves of letters (lone surrogates), which no mail can hold."""
    return text.encode("utf-8", "replace").decode()


def _header(name: str, value: str) -> bytes:
    """Return a header of the program's own words: short and plain."""
    return f"{name}: {value}\r\n".encode("ascii")


def _whole(name: str, value: str) -> bytes:
    """Return a header that must not be folded within, on a line of its own where it is long.

    Mail clients read no encoded words in a link to unsubscribe (RFC 8058, 3.1).
    """
    value = "".join(one_line(value).split())
    on_its_own = "\r\n" if len(f"{name}: {value}") > LONGEST_LINE else ""
    return f"{name}:{on_its_own} {value}\r\n".encode("ascii")


def _subject(subject: str) -> bytes:
    """Return a subject that every reader gets back, space by space.

    The standard library loses and doubles spaces where it folds between encoded words (RFC 2047, 6.2): so it is folded
    at its spaces, or written as encoded words alone. What looks like an encoded word is meant.
    """
    value = one_line(_sound(subject))
    plain = value.isascii() and "=?" not in value and all(len(word) <= LONGEST_WORD for word in value.split())
    if plain and len(f"Subject: {value}") <= LONGEST_LINE:
        return f"Subject: {value}\r\n".encode("ascii")
    header = Header(value, "us-ascii" if plain else "utf-8", maxlinelen=LONGEST_LINE, header_name="Subject")
    folded = header.encode(linesep="\r\n")
    return f"Subject: {folded}\r\n".encode("ascii")
