"""A mail server that takes everything, as a process of its own: `python -m tests.bench.sink PORT`."""

import sys
import time
from threading import Event

from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, Envelope, Session


class Sink:
    """Say yes, and throw it away."""

    async def handle_DATA(self, server: SMTP, session: Session, envelope: Envelope) -> str:  # noqa: N802
        return "250 OK"


if __name__ == "__main__":
    controller = Controller(Sink(), hostname="127.0.0.1", port=int(sys.argv[1]), ready_timeout=20)
    controller.start()
    try:
        Event().wait()
    except KeyboardInterrupt:
        time.sleep(0)
    controller.stop()
