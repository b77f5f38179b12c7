"""Where rate limits are counted: in Redis, which may go or hang without anybody noticing it."""

from time import monotonic
from typing import Any

from limits.storage import RedisStorage
from redis.backoff import NoBackoff
from redis.retry import Retry

PATIENT = "patient+"
WAITS = 0.5  # seconds, for a connection and for each answer
ASKED_AGAIN_AFTER = 5  # seconds


class PatientRedis(RedisStorage):
    """A Redis that nobody waits for: each thing is tried once and shortly; while away it is asked every few seconds."""

    STORAGE_SCHEME = [f"{PATIENT}{scheme}" for scheme in ("redis", "rediss", "redis+unix")]  # noqa: RUF012  as limits wants it

    def __init__(self, uri: str, **options: Any) -> None:
        once: Any = Retry(NoBackoff(), 0)
        waits = {"socket_connect_timeout": WAITS, "socket_timeout": WAITS}
        super().__init__(uri.removeprefix(PATIENT), **{**waits, "retry": once, **options})
        self._not_before = 0.0

    def check(self) -> bool:
        """Tell whether it answers again; for some seconds after it did not, without asking."""
        if monotonic() < self._not_before:
            return False
        answers = super().check()
        if not answers:
            self._not_before = monotonic() + ASKED_AGAIN_AFTER
        return answers
