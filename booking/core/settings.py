"""Settings: typed, from the environment and a `.env` file (the environment wins), safe by default."""

import re
from collections.abc import Mapping
from dataclasses import dataclass
from email.utils import parseaddr
from ipaddress import ip_address
from pathlib import Path
from urllib.parse import urlsplit

from dotenv import dotenv_values
from sqlalchemy.engine import make_url
from sqlalchemy.exc import ArgumentError

from booking.core.hosts import names_this_machine

ROOT = Path(__file__).resolve().parents[2]
_YES, _NO = {"1", "true", "yes", "on"}, {"", "0", "false", "no", "off"}
_MIN_SECRET = 16
_REDIS = {"redis", "rediss", "redis+unix"}
_NAME = r"[A-Za-z0-9_][A-Za-z0-9_-]{0,62}(?:\.[A-Za-z0-9_][A-Za-z0-9_-]{0,62})*"
_HOST = re.compile(rf"{_NAME}\.?")
_ADDRESS = re.compile(r"https?://([A-Za-z0-9_.-]+|\[[0-9A-Fa-f:.]+\])(?::([0-9]{1,5}))?")
_WORD = r"[A-Za-z0-9!#$%&'*+/=?^_`{|}~-]+"
_MAILBOX = rf"{_WORD}(?:\.{_WORD})*@{_NAME}"
_CONTACT = re.compile(rf"mailto:{_MAILBOX}|tel:\+?[0-9().-]{{3,30}}|https://{_NAME}(?::[0-9]{{1,5}})?(?:/[!-~]*)?")
# One address, which may have a name: `a@example.org`, `Name <a@example.org>`, `"Name, with marks" <a@example.org>`.
_SENDER = re.compile(rf'(?:"[^"\\]*" *|[^"\\<>@,;:]*)<({_MAILBOX})>|({_MAILBOX})')


class SettingsError(Exception):
    """A setting that is missing or wrong: one line that names it."""


@dataclass(frozen=True, slots=True)
class Settings:
    """Everything that differs between installations."""

    secret_key: str
    database_url: str
    base_url: str
    demo: bool
    mail_server: str
    mail_port: int
    mail_username: str
    mail_password: str
    mail_use_tls: bool
    mail_default_sender: str
    mail_per_minute: int
    redis_url: str
    rate_limits: bool
    port: int
    base_url_was_set: bool = True
    security_contact: str = ""

    @property
    def is_https(self) -> bool:
        """Tell whether people reach us by HTTPS: cookies, redirects and HSTS follow."""
        return self.base_url.startswith("https://")

    @classmethod
    def load(cls, environ: Mapping[str, str], env_file: Path | None = ROOT / ".env") -> "Settings":
        """Read the settings. Raises SettingsError with one line that names the first bad one."""
        read = _Reader({**_written_in(env_file), **environ})
        demo = read.flag("DEMO")
        port = read.number("PORT", 5000)
        base_url = read.address("BASE_URL", f"http://127.0.0.1:{port}")
        if demo and not names_this_machine(urlsplit(base_url).netloc):
            raise SettingsError(
                "BASE_URL: with DEMO=1 it has to be this machine (http://127.0.0.1:5000): the demo lets anybody sign in"
            )
        return cls(
            secret_key=read.secret("SECRET_KEY"),
            database_url=read.database("DATABASE_URL"),
            base_url=base_url,
            demo=demo,
            mail_server=read.host("MAIL_SERVER"),
            mail_port=read.number("MAIL_PORT", 25),
            mail_username=read.text("MAIL_USERNAME"),
            mail_password=read.text("MAIL_PASSWORD"),
            mail_use_tls=read.flag("MAIL_USE_TLS"),
            mail_default_sender=read.sender(
                "MAIL_DEFAULT_SENDER", required=not demo and bool(read.text("MAIL_SERVER"))
            ),
            mail_per_minute=read.rate("MAIL_PER_MINUTE"),
            redis_url=read.redis("REDIS_URL"),
            rate_limits=read.on_or_off("RATE_LIMITS"),
            port=port,
            security_contact=read.contact("SECURITY_CONTACT"),
            base_url_was_set=bool(read.text("BASE_URL")),
        )


def _written_in(env_file: Path | None) -> dict[str, str]:
    """Return what the settings file says; nothing where there is none."""
    try:
        found = dotenv_values(env_file, encoding="utf-8-sig") if env_file and env_file.is_file() else {}
    except (OSError, ValueError):
        raise SettingsError(
            f"{env_file}: this file cannot be read. Write it as UTF-8 text, a NAME=value on each line"
        ) from None
    return {name: value or "" for name, value in found.items()}


def _is_host(word: str) -> bool:
    """Tell whether this names a machine: by a name, or by its number."""
    if ":" not in word:
        return len(word) <= 253 and _HOST.fullmatch(word) is not None
    try:
        return bool(ip_address(word))
    except ValueError:
        return False


class _Reader:
    def __init__(self, values: Mapping[str, str]) -> None:
        self.values = values

    def text(self, name: str) -> str:
        return self.values.get(name, "").strip()

    def flag(self, name: str) -> bool:
        word = self.text(name).lower()
        if word not in _YES | _NO:
            raise SettingsError(f"{name}: write 1 or 0, not {word!r}")
        return word in _YES

    def on_or_off(self, name: str) -> bool:
        word = self.text(name).lower() or "on"
        if word not in _YES | _NO:
            raise SettingsError(f"{name}: write on or off, not {word!r}")
        return word in _YES

    def number(self, name: str, default: int) -> int:
        word = self.text(name) or str(default)
        if not (re.fullmatch(r"[0-9]{1,5}", word) and 0 < int(word) < 65536):
            raise SettingsError(f"{name}: write a port number from 1 to 65535, not {word[:20]!r}")
        return int(word)

    def rate(self, name: str) -> int:
        word = self.text(name) or "0"
        if not re.fullmatch(r"[0-9]{1,6}", word):
            raise SettingsError(
                f"{name}: write how many mails may go in a minute, or 0 for no limit, not {word[:20]!r}"
            )
        return int(word)

    def secret(self, name: str) -> str:
        word = self.text(name)
        if len(word) < _MIN_SECRET:
            what = "is too short" if word else "is missing"
            raise SettingsError(f"{name} {what}: write at least {_MIN_SECRET} random characters (make setup does it)")
        return word

    def database(self, name: str) -> str:
        word = self.text(name) or f"sqlite:///{ROOT / 'var' / 'booking.db'}"
        try:
            backend = make_url(word).drivername
        except (ArgumentError, ValueError):  # a port that is no number
            backend = ""
        if backend not in {"sqlite", "sqlite+pysqlite", "postgresql+psycopg"}:
            raise SettingsError(f"{name}: write sqlite:///path or postgresql+psycopg://user:password@host/name")
        return word

    def address(self, name: str, default: str) -> str:
        word = (self.text(name) or default).rstrip("/")
        found = _ADDRESS.fullmatch(word)
        if not (found and _is_host(found[1].strip("[]")) and 0 < int(found[2] or 80) < 65536):
            said = "" if "@" in word else f": not {word[:60]!r}"  # a password may stand before an @
            raise SettingsError(
                f"{name}: write an address like https://calendar.example.org and nothing after it{said}"
            )
        return word

    def host(self, name: str) -> str:
        word = self.text(name)
        bare = word[1:-1] if word.startswith("[") and word.endswith("]") else word
        if not word or _is_host(bare):
            return bare
        host, _, port = word.rpartition(":")
        if port.isdecimal() and _is_host(host.strip("[]")):
            raise SettingsError(f"{name}: write the name of the server alone, and its port in MAIL_PORT, not {word!r}")
        raise SettingsError(f"{name}: write the name of a server like mail.example.org, and nothing else")

    def sender(self, name: str, *, required: bool) -> str:
        word = self.text(name)
        if not word and required:
            raise SettingsError(f"{name} is missing: write the address that mail comes from (MAIL_SERVER is set)")
        found = _SENDER.fullmatch(word) if word.isprintable() else None
        if word and not (found and parseaddr(word)[1] in found.groups()):
            raise SettingsError(f"{name}: write one address like calendar@example.org, not {word[:60]!r}")
        return word or "calendar@example.org"

    def contact(self, name: str) -> str:
        word = self.text(name)
        found = word if word.startswith(("https://", "mailto:", "tel:")) else f"mailto:{word}"
        if not word:
            return ""
        if not _CONTACT.fullmatch(found):
            raise SettingsError(f"{name}: write an email address, or a web address that begins with https://")
        return found

    def redis(self, name: str) -> str:
        word = self.text(name)
        try:
            parts = urlsplit(word)
            is_good = parts.scheme in _REDIS and bool(parts.netloc or parts.path) and parts.port != 0
        except ValueError:
            is_good = False
        if word and not is_good:
            raise SettingsError(f"{name}: write an address like redis://127.0.0.1:6379/0, or leave it empty")
        return word
