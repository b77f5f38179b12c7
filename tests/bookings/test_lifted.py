"""The minute at which the limit of schools is lifted comes while something is being done: at each of its statements."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager, suppress
from dataclasses import dataclass
from datetime import timedelta
from itertools import count

import pytest
import sqlalchemy as sa
import time_machine

from booking.bookings import actions, promotions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit
from booking.bookings.models import Booking
from booking.calendar.models import Event
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.models import Person
from tests.factories import make_event, make_organiser, make_school

pytestmark = pytest.mark.usefixtures("school_day", "in_app")
_number = count(1)


def book(event: Event, school_id: int | None) -> Booking:
    name = f"P{next(_number)}"
    by = Contact(name, f"{name}@school.example", school_id)
    return actions.book(event, by=by, places=[NewPlace(by.name, by.email)])


def wrong_at(event: Event) -> list[str]:
    return [problem for problem in audit() if problem.startswith(f"event {event.id}:")]


@contextmanager
def passing_at(statement: int) -> Iterator[list[str]]:
    """Let ten minutes pass while this statement runs (the first is 0). Gives all the statements, as they come."""
    seen: list[str] = []

    def listen(_connection: object, _cursor: object, said: str, *_more: object) -> None:
        if len(seen) == statement:
            clock.shift(timedelta(minutes=10))
        seen.append(said)

    with time_machine.travel(now(), tick=False) as clock:
        sa.event.listen(db.engine, "before_cursor_execute", listen)
        try:
            yield seen
        finally:
            sa.event.remove(db.engine, "before_cursor_execute", listen)


@dataclass(frozen=True, slots=True)
class Scene:
    """An event whose limit is lifted in five minutes: of each school one has a place and one waits."""

    event: Event
    school_id: int
    came: Booking
    waits: Booking
    also_waits: Booking
    organiser: Person


def set_up(organiser: Person, oak: int, ash: int) -> Scene:
    event = make_event(capacity=9, per_school=1, per_school_until=now() + timedelta(minutes=5))
    came, waits, _, also_waits = (book(event, school_id) for school_id in (oak, oak, ash, ash))
    promotions.settle(event)
    return Scene(event, oak, came, waits, also_waits, organiser)


def let_in(scene: Scene) -> None:
    with suppress(Refused):  # whoever came in by themselves meanwhile cannot be let in
        promotions.let_in_beyond(scene.event, scene.also_waits.places[0], by=scene.organiser, reason="A new SENCo")


def pause_and_go_on(scene: Scene) -> None:
    for paused in (True, False):
        promotions.pause(scene.event, by=scene.organiser, paused=paused)


ACTS: dict[str, Callable[[Scene], object]] = {
    "book": lambda scene: book(scene.event, None),
    "book for the school": lambda scene: book(scene.event, scene.school_id),
    "cancel": lambda scene: actions.cancel(scene.came),
    "let in": let_in,
    "pause and go on": pause_and_go_on,
}


@pytest.mark.parametrize("act", ACTS)
def test_who_waited_for_it_moves_up_whenever_the_minute_comes(act: str) -> None:
    people = make_organiser(), make_school("Oak").id, make_school("Ash").id
    for statement in count():
        scene = set_up(*people)
        with passing_at(statement) as seen:
            ACTS[act](scene)
            of_the_act = len(seen)
            clean = wrong_at(scene.event)
            promotions.settle_due()
            db.session.expire_all()
            found = {str(one.places[0].status) for one in (scene.waits, scene.also_waits)}
            assert (statement, found, clean, wrong_at(scene.event)) == (statement, {"confirmed"}, [], [])
        if statement >= of_the_act:
            break
