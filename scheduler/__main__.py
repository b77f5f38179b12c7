"""`python -m scheduler`: run the jobs until told to stop. `--once`: do everything that is due now, then stop."""

import argparse
import logging
import os
import signal
import sys
from datetime import UTC, datetime
from threading import Timer

from apscheduler.schedulers.background import BackgroundScheduler
from apscheduler.triggers.interval import IntervalTrigger
from flask import Flask
from sqlalchemy.exc import DBAPIError

from booking.app import create_app
from booking.core.db import db, why_away
from booking.core.settings import SettingsError
from scheduler.jobs import JOBS, Job, stopping

# A job that hangs, in the mail server or in a long statement, is left then: what it had claimed is due again.
STOPS_WITHIN_SECONDS = 8
STOP_SIGNALS = (signal.SIGTERM, signal.SIGINT)
log = logging.getLogger("scheduler")


def main() -> int:
    """Run, and return the exit status."""
    parser = argparse.ArgumentParser(prog="python -m scheduler", description=__doc__)
    parser.add_argument("--once", action="store_true", help="do everything that is due now, then stop")
    once = parser.parse_args().once
    logging.basicConfig(stream=sys.stderr, level=logging.INFO, format="%(asctime)s %(name)s %(message)s")
    logging.getLogger("apscheduler").setLevel(logging.WARNING)
    try:
        app = create_app()
    except SettingsError as error:
        print(f"Settings: {error}", file=sys.stderr)
        return 1
    return run_once(app) if once else run_on(app)


def run_once(app: Flask) -> int:
    """Do every job once. Mail that cannot go now stays queued and is no error; a database that is away is."""
    status = 0
    for job in JOBS:
        try:
            away = _do(app, job)
        except Exception:
            log.exception("%s failed", job.name)
            status = 1
        else:
            if away:
                print(away, file=sys.stderr)
                return 1
    return status


def run_on(app: Flask) -> int:
    """Do the jobs at their times until SIGTERM or Ctrl-C; a job under way ends after the piece it is at."""
    signal.pthread_sigmask(signal.SIG_BLOCK, STOP_SIGNALS)
    jobs = BackgroundScheduler(timezone=UTC)
    for job in JOBS:
        jobs.add_job(
            _do_and_go_on,
            IntervalTrigger(seconds=job.every_seconds, timezone=UTC),
            args=[app, job],
            name=job.name,
            coalesce=True,
            max_instances=1,
            misfire_grace_time=None,  # a tick that comes late is still wanted
            next_run_time=datetime.now(UTC),
        )
    jobs.start()
    log.info("running")
    signal.sigwait(STOP_SIGNALS)
    signal.pthread_sigmask(signal.SIG_UNBLOCK, STOP_SIGNALS)  # a second one does not wait
    log.info("stopping")
    stopping.set()
    last = Timer(STOPS_WITHIN_SECONDS, _leave)
    last.daemon = True
    last.start()
    jobs.shutdown()
    last.cancel()
    return 0


def _leave() -> None:
    log.warning("not waiting any longer for what is under way")
    os._exit(0)


def _do_and_go_on(app: Flask, job: Job) -> None:
    """Do a job; what goes wrong is logged, and the next tick tries again."""
    try:
        away = _do(app, job)
    except Exception:
        log.exception("%s failed", job.name)
    else:
        if away:
            log.error("%s failed: %s", job.name, away)


def _do(app: Flask, job: Job) -> str | None:
    """Do a job. Returns why the database is of no use, where it is so."""
    with app.app_context():
        try:
            done = job.action()
        except DBAPIError as error:
            return why_away(error)
        finally:
            db.session.remove()
        if done and job.name != "heartbeat":
            log.info("%s: %s", job.name, done)
    return None


if __name__ == "__main__":
    sys.exit(main())
