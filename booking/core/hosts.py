"""Under which names we answer. What the Host header says decides nothing else: no redirect, no link, no mail."""

import re
from collections.abc import Callable, Iterable
from ipaddress import ip_address
from typing import Any
from urllib.parse import urlsplit

PROBES = {"/healthz", "/readyz"}  # load balancers ask for them by number, or by names of their own
_HOST = re.compile(r"([A-Za-z0-9._-]+|\[[0-9A-Fa-f:.]+\])(:[0-9]{1,5})?")
_SENTENCE = b"This website does not answer under that name.\n"
_HEADERS = [
    ("Content-Type", "text/plain; charset=utf-8"),
    ("Content-Length", str(len(_SENTENCE))),
    ("Cache-Control", "no-store"),
    ("X-Content-Type-Options", "nosniff"),
]


def is_loopback(address: str) -> bool:
    """Tell whether an address leads back to the machine that asks."""
    try:
        found = ip_address(address)
    except ValueError:
        return False
    return (getattr(found, "ipv4_mapped", None) or found).is_loopback


def names_this_machine(host: str) -> bool:
    """Tell whether `name:port` is this machine under a name that nobody else can give away."""
    name = name_of(host)
    return name == "localhost" or is_loopback(name)


def name_of(host: str) -> str:
    """Return the name in `name:port`, in small letters and without brackets; nothing where it is none."""
    found = _HOST.fullmatch(host)
    return found[1].lower().strip("[]") if found else ""


class KnownHosts:
    """WSGI middleware: refuses names that are neither that of BASE_URL nor this machine's."""

    def __init__(self, application: Callable[..., Iterable[bytes]], base_url: str) -> None:
        self.application = application
        self.netloc = urlsplit(base_url).netloc
        self.name = name_of(self.netloc)

    def __call__(self, environ: dict[str, Any], start_response: Callable[..., Any]) -> Iterable[bytes]:
        """Answer, or say that this is not the website that was asked for."""
        host = str(environ.get("HTTP_HOST", environ.get("SERVER_NAME", "")))
        if name_of(host) != self.name and not names_this_machine(host):
            if environ.get("PATH_INFO") not in PROBES:
                start_response("400 Bad Request", _HEADERS)
                return [_SENTENCE]
            environ["HTTP_HOST"] = self.netloc
        return self.application(environ, start_response)
