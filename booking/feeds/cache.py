"""Finished feeds, kept by the calendar's version: what has not changed costs no serialisation.

Each process keeps its own; the version is read from the database at each request, so a change made anywhere is
seen at the very next one. Both stores are bounded.
"""

import gzip
import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass
from datetime import datetime
from threading import Lock
from typing import Generic, TypeVar

MOST_FEEDS, MOST_BLOCKS = 64, 8192
Value = TypeVar("Value")


@dataclass(frozen=True, slots=True)
class Feed:
    """A finished feed: its bytes, the same compressed, and what HTTP says of them.

    `changed_at` is None where more than the calendar decides what stands in it.
    """

    body: bytes
    zipped: bytes
    etag: str
    changed_at: datetime | None

    @classmethod
    def of(cls, body: bytes, changed_at: datetime | None) -> "Feed":
        """Return the feed of these bytes."""
        return cls(body, gzip.compress(body, 6, mtime=0), hashlib.sha256(body).hexdigest()[:32], changed_at)


class Store(Generic[Value]):
    """The newest so many values by key; safe among threads."""

    def __init__(self, size: int) -> None:
        self.size = size
        self._values: OrderedDict[Hashable, Value] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, make: Callable[[], Value]) -> Value:
        """Return the value of a key; made where there is none."""
        with self._lock:
            if key in self._values:
                self._values.move_to_end(key)
                return self._values[key]
        value = make()
        with self._lock:
            self._values[key] = value
            while len(self._values) > self.size:
                self._values.popitem(last=False)
        return value


feeds: Store[Feed] = Store(MOST_FEEDS)
blocks: Store[bytes] = Store(MOST_BLOCKS)
