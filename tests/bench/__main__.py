"""Run the benchmarks: `python -m tests.bench`, or only those named, as in `python -m tests.bench feed`."""

import logging
import signal
import sys
from time import perf_counter

from tests.bench import beside, bookings, crowd, feed, history, long, mails, pages, queue, report, stage

BENCHMARKS = {
    "bookings": bookings.run,
    "crowd": crowd.run,
    "history": history.run,
    "mails": mails.run,
    "queue": queue.run,
    "feed": feed.run,
    "beside": beside.run,
    "pages": pages.run,
    "long": long.run,
}


def main(names: list[str]) -> None:
    """Run these benchmarks, or all."""
    unknown = set(names) - set(BENCHMARKS)
    if unknown:
        sys.exit(f"No benchmark is called {', '.join(sorted(unknown))}. There are: {', '.join(BENCHMARKS)}")
    signal.signal(signal.SIGTERM, signal.default_int_handler)  # the databases are removed then too
    logging.getLogger("alembic").setLevel(logging.WARNING)
    started = perf_counter()
    print(report.machine(), flush=True)
    try:
        for name in names or BENCHMARKS:
            BENCHMARKS[name]()
    finally:
        stage.clear()
    print(f"\nIt took {perf_counter() - started:.0f} seconds; {report.busy()}.")


if __name__ == "__main__":
    main(sys.argv[1:])
