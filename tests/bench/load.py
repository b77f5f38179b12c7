"""A load: several at once do the same thing again and again for a while."""

from collections import Counter
from collections.abc import Callable, Sequence
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from statistics import mean, median
from time import perf_counter, process_time
from urllib.parse import urlsplit

CLIENTS = 8
WARM_UP = 1.0
TIMES = 20
# Does one thing; returns what went wrong, or nothing.
Step = Callable[[], str]


@dataclass(frozen=True, slots=True)
class Measured:
    """What came of it. Times are in seconds, the shortest first; `own` is our own share of one core."""

    times: list[float]
    seconds: float
    errors: Counter[str]
    own: float

    @property
    def per_second(self) -> float:
        """How many were done in a second."""
        return len(self.times) / self.seconds

    def percentile(self, percent: int) -> float:
        """Return in how many milliseconds so many of a hundred were done."""
        return 1000 * self.times[min(len(self.times) * percent // 100, len(self.times) - 1)]


def measure(steps: Sequence[Step], *, seconds: float) -> Measured:
    """Do each step in a thread of its own, over and over. The first second warms up: only its errors count."""
    begin = perf_counter() + WARM_UP
    end = begin + seconds
    burnt = process_time()

    def work(step: Step) -> tuple[list[float], list[str]]:
        times, errors = [], []
        while (started := perf_counter()) < end:
            if wrong := step():
                errors.append(wrong)
            if started >= begin:
                times.append(perf_counter() - started)
        return times, errors

    with ThreadPoolExecutor(len(steps)) as pool:
        done = list(pool.map(work, steps))
    times = sorted(time for times, _ in done for time in times)
    own = (process_time() - burnt) / (WARM_UP + seconds)
    return Measured(times, perf_counter() - begin, Counter(wrong for _, errors in done for wrong in errors), own)


def alone(step: Callable[[], object]) -> tuple[float, float]:
    """Do something a number of times here; return its median time and its mean time on the processor, in ms."""
    times, burnt = [], []
    for _ in range(TIMES):
        started, clock = perf_counter(), process_time()
        step()
        burnt.append(process_time() - clock)
        times.append(perf_counter() - started)
    return 1000 * median(times), 1000 * mean(burnt)


@dataclass(frozen=True, slots=True)
class Answer:
    """What a server answered; the status is 0 where the connection broke."""

    status: int
    headers: dict[str, str]
    body: bytes


class Connection:
    """One kept-alive connection to a server."""

    def __init__(self, address: str) -> None:
        self._connection = HTTPConnection(urlsplit(address).netloc, timeout=60)

    def ask(self, method: str, path: str, headers: dict[str, str], body: str | None = None) -> Answer:
        """Return the answer, whole."""
        try:
            self._connection.request(method, path, body, headers)
            answer = self._connection.getresponse()
            return Answer(answer.status, dict(answer.getheaders()), answer.read())
        except (OSError, HTTPException):
            self._connection.close()
            return Answer(0, {}, b"")

    def close(self) -> None:
        """End the connection."""
        self._connection.close()
