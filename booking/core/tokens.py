"""Links that are a right by themselves.

A row keeps a random key; the link carries the key and a signature of it under SECRET_KEY. So a row
alone gives nobody a working link, a guessed link costs no query, and a mail sent next month can still
be written. (Mails in the outbox hold the links they were written with.) A new key for the row stops the old link.
"""

import hashlib
import hmac
import secrets
from base64 import urlsafe_b64encode

from flask import current_app

KEY_LENGTH = 16
_SIGNATURE_LENGTH = 22
# What stands in an address after these is a right by itself.
OWN_PAGES = (
    r"/(?:bookings|places|sign-in|feeds/(?:my|staff|team|school)|reminders/stop|returns|invitations"
    r"|digest/(?:confirm|change|stop))/"
)


def new_key() -> str:
    """Return a new random key, 16 characters of a URL-safe alphabet (96 bits)."""
    return secrets.token_urlsafe(12)


def link_token(purpose: str, key: str) -> str:
    """Return what stands in the link for the row with this key."""
    return key + _signature(purpose, key)


def key_of(purpose: str, token: str) -> str | None:
    """Return the key of a link's token, or None where the token was not made by us for this purpose."""
    key, signature = token[:-_SIGNATURE_LENGTH], token[-_SIGNATURE_LENGTH:]
    if not token.isascii() or not hmac.compare_digest(signature, _signature(purpose, key)):
        return None
    return key


def secret_hash(purpose: str, secret: str) -> str:
    """Return the keyed hash under which a secret that we need not show again is stored."""
    return hmac.new(_signing_key(), f"{purpose}:{secret}".encode(), hashlib.sha256).hexdigest()


def _signature(purpose: str, key: str) -> str:
    digest = hmac.new(_signing_key(), f"{purpose}:{key}".encode(), hashlib.sha256).digest()
    return urlsafe_b64encode(digest).decode()[:_SIGNATURE_LENGTH]


def _signing_key() -> bytes:
    return hashlib.sha256(b"links:" + str(current_app.config["SECRET_KEY"]).encode()).digest()
