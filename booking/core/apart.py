"""Read what people upload in a child process with limits of its own.

A spreadsheet of a kilobyte may grow while it is read until the system ends its reader, which must be no web worker.
"""

import logging
import os
import pickle
import resource
import subprocess
import sys
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import ParamSpec, TypeVar, cast

from booking.core.errors import Refused

log = logging.getLogger(__name__)
P = ParamSpec("P")
T = TypeVar("T")
MOST_MEMORY = 400 * 1024 * 1024  # addresses, of which the interpreter and what it imports take about a third
MOST_CPU_SECONDS, MOST_SECONDS = 8, 20
_ROOT = Path(__file__).parents[2]
_PASSED_ON = ("PATH", "LD_LIBRARY_PATH", "DYLD_LIBRARY_PATH")  # and no secret
TOO_MUCH = (
    "This file takes too much to read: it holds far more than we expect. "
    "Copy the cells you need into a new spreadsheet, and try again."
)
NOT_NOW = "We cannot read files just now. Try again in a few minutes."


def apart(read: Callable[P, T], *args: P.args, **kwargs: P.kwargs) -> T:
    """Return what a function of a module returns, and raise what it raises; it runs in a process that may be ended.

    Raises Refused where it had to be ended: after 8 seconds of the processor, 20 by the clock, or at 400 MB.
    Its arguments and what it returns are pickled.
    """
    try:
        done = subprocess.run(  # noqa: S603 - our own program, and no shell
            [sys.executable, "-m", __name__],
            input=pickle.dumps(read) + pickle.dumps((args, kwargs)),
            capture_output=True,
            timeout=MOST_SECONDS,
            check=False,
            cwd=_ROOT,
            env={key: os.environ[key] for key in _PASSED_ON if key in os.environ},
        )
    except subprocess.TimeoutExpired:
        raise Refused(TOO_MUCH, field="file") from None
    except OSError:  # this machine has no memory or no process left
        log.exception("no process could be started to read a file")
        raise Refused(NOT_NOW, field="file") from None
    if done.returncode:
        log.warning("reading a file ended with %s: %s", done.returncode, done.stderr[-500:].decode(errors="replace"))
        raise Refused(TOO_MUCH, field="file")
    returned, what = pickle.loads(done.stdout)  # noqa: S301 - what our own child wrote
    if returned:
        return cast(T, what)
    raise what


def _limit() -> None:
    """Set the limits from within: nothing may run between fork and exec in a process with threads."""
    for kind, most in ((resource.RLIMIT_AS, MOST_MEMORY), (resource.RLIMIT_CPU, MOST_CPU_SECONDS)):
        with suppress(ValueError, OSError):  # macOS knows no limit of addresses
            resource.setrlimit(kind, (most, most))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))


def _main() -> None:
    read = pickle.load(sys.stdin.buffer)  # noqa: S301 - what our own parent wrote
    _limit()
    args, kwargs = pickle.load(sys.stdin.buffer)  # noqa: S301
    try:
        answer = True, read(*args, **kwargs)
    except MemoryError:
        sys.exit(1)
    except Exception as error:
        answer = False, error
    pickle.dump(answer, sys.stdout.buffer)


if __name__ == "__main__":
    _main()
