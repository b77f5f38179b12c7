"""Where the act under way comes from: what mail it causes is counted by that."""

from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from ipaddress import IPv6Address, ip_address, ip_network

from flask import g, has_request_context

_HOST_BITS_OF_A_HOME = 64  # one line has 2^64 addresses of IPv6


@dataclass(frozen=True, slots=True)
class Origin:
    """A public act's origin: its network, empty where none is counted, and the address that its session proved."""

    network: str
    proved: str = ""


def network_of(address: str) -> str:
    """Return what counts as one network: an address of IPv4 whole, of IPv6 its /64."""
    try:
        parsed = ip_address(address)
    except ValueError:
        return address
    if not isinstance(parsed, IPv6Address):
        return str(parsed)
    if parsed.ipv4_mapped is not None:
        return str(parsed.ipv4_mapped)
    return str(ip_network((int(parsed), _HOST_BITS_OF_A_HOME), strict=False))


def remember(origin: Origin) -> None:
    """Say where the request under way comes from: it is a public act, whose mail is counted."""
    g.origin = origin


def current() -> Origin | None:
    """Return where the public act under way comes from; None for the program, a command or an organiser."""
    found: Origin | None = g.get("origin") if has_request_context() else None
    return found


@contextmanager
def of_the_program() -> Iterator[None]:
    """Post mail that follows from a rule rather than from who asks: it is counted for nobody."""
    was = current()
    if was is None:
        yield
        return
    g.origin = None
    try:
        yield
    finally:
        g.origin = was
