"""Hosts and facilitators as organisers type them: one in each line."""

import re
from collections.abc import Iterable

from booking.calendar.actions import Hosts
from booking.calendar.models import Host
from booking.core.errors import Refused
from booking.core.forms import address_that_can_be, person_named
from booking.core.text import email_key, one_line

LONGEST_NAME, MOST_HOSTS = 120, 30
# `Name <address>`, else `Name, address` or the address alone.
_IN_BRACKETS = re.compile(r"(?P<name>[^<>]*)<\s*(?P<email>[^<>]*?)\s*>[\s,;]*")
_APART = re.compile(r"(?:(?P<name>.*\S)(?:\s*[,;]\s*|\s+))?(?P<email>[^\s,;]+)[\s,;]*")


def read_hosts(text: str) -> Hosts:
    """Return who stands in the lines. Raises Refused with the number of the line that cannot be."""
    found: dict[str, tuple[int, str]] = {}
    for number, line in enumerate(text.split("\n"), start=1):
        if not one_line(line):
            continue
        try:
            name, email = _read(one_line(line))
        except ValueError as wrong:
            raise Refused(f"Line {number}: {wrong}", field="hosts") from None
        if email in found:
            raise Refused(f"Line {number}: {email} stands in line {found[email][0]} already.", field="hosts")
        found[email] = number, name
    if len(found) > MOST_HOSTS:
        raise Refused(f"At most {MOST_HOSTS} hosts and facilitators are possible.", field="hosts")
    return tuple((name, email) for email, (_, name) in found.items())


def _read(line: str) -> tuple[str, str]:
    parts = _IN_BRACKETS.fullmatch(line) or _APART.fullmatch(line)
    if parts is None or "@" not in parts["email"]:
        raise ValueError("there is no e-mail address at its end. Write it like Amina Yusuf <amina@school.example>.")
    name = (parts["name"] or "").strip(" ,;\"“”'")
    if "@" in name:
        raise ValueError("write one address in each line.")
    email = address_that_can_be(parts["email"].removeprefix("mailto:"))
    if email is None:
        raise ValueError(f"“{parts['email'][:60]}” is not an e-mail address. Write it like name@school.example.")
    if name and not person_named(name):
        raise ValueError("write a name with letters, and no web address, before the e-mail address.")
    if len(name) > LONGEST_NAME:
        raise ValueError(f"use at most {LONGEST_NAME} letters for the name.")
    return name, email_key(email)


def say_hosts(hosts: Iterable[Host]) -> str:
    """Return the lines that say who hosts an event, as they are read."""
    return "\n".join(f"{host.name} <{host.email}>" if host.name else host.email for host in hosts)
