"""Finished feeds, kept by the calendar's version: what has not changed costs no serialisation.

Each process keeps its own; the version is read from the database at each request, so a change made anywhere is
seen at the very next one. All stores are bounded, in bytes.
"""

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from datetime import datetime
from functools import lru_cache
from threading import Lock
from typing import Generic, TypeVar

import brotli
from werkzeug.datastructures import Accept
from werkzeug.http import parse_accept_header

MOST_OF_FEEDS = MOST_OF_BLOCKS = 16 * 1024 * 1024
KEY_WEIGHS = 1024
# What we compress with, the best first; names of HTTP.
ENCODINGS: dict[str, Callable[[bytes], bytes]] = {
    "br": lambda body: brotli.compress(body, quality=5),
    "gzip": lambda body: gzip.compress(body, 6, mtime=0),
}
Value = TypeVar("Value")


@lru_cache(maxsize=256)
def encoding_for(accepted: str) -> str:
    """Return how to compress for a client with this Accept-Encoding; empty where it does not ask for it by name."""
    asked = {name: quality for name, quality in parse_accept_header(accepted.lower(), Accept) if name in ENCODINGS}
    best = max(ENCODINGS, key=lambda name: asked.get(name, 0))
    return best if asked.get(best) else ""


class Feed:
    """A finished feed: its bytes, and what HTTP says of them.

    `changed_at` is None where more than the calendar decides what stands in it.
    """

    def __init__(self, body: bytes, changed_at: datetime | None, etag: str = "") -> None:
        self.body, self.changed_at = body, changed_at
        self.etag = etag or hashlib.sha256(body).hexdigest()[:32]
        self._encoded = {"": body}

    def encoded(self, encoding: str) -> bytes:
        """Return its bytes in the encoding that `encoding_for` told; compressed when first asked for."""
        if encoding not in self._encoded:
            self._encoded[encoding] = ENCODINGS[encoding](self.body)
        return self._encoded[encoding]


class Store(Generic[Value]):
    """The values last used, by key, as many as fit into so many bytes; safe among threads."""

    def __init__(self, most: int, *, weigh: Callable[[Value], int]) -> None:
        self.most, self.weight = most, 0
        self._weigh = weigh
        self._values: OrderedDict[Hashable, tuple[Value, int]] = OrderedDict()
        self._lock, self._making = Lock(), Lock()

    def __len__(self) -> int:
        return len(self._values)

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key; made where there is none, once where many ask at the same time."""
        value = self.find(key)
        if value is None:
            with self._making:
                value = self.find(key)
                if value is None:
                    value = make()
                    self.put(key, value)
        return value

    def find(self, key: Hashable) -> Value | None:
        """Return the value of a key, or None."""
        with self._lock:
            if key not in self._values:
                return None
            self._values.move_to_end(key)
            return self._values[key][0]

    def put(self, key: Hashable, value: Value) -> None:
        """Keep a value; those that were not used for the longest time go."""
        weight = self._weigh(value) + KEY_WEIGHS
        with self._lock:
            _, before = self._values.pop(key, (None, 0))
            self._values[key] = value, weight
            self.weight += weight - before
            while self.weight > self.most:
                _, (_, gone) = self._values.popitem(last=False)
                self.weight -= gone

    def clear(self) -> None:
        """Keep nothing."""
        with self._lock:
            self._values.clear()
            self.weight = 0


# Compressed as well, a feed takes a third more.
feeds: Store[Feed] = Store(MOST_OF_FEEDS, weigh=lambda feed: len(feed.body) * 4 // 3)
blocks: Store[bytes] = Store(MOST_OF_BLOCKS, weigh=len)
