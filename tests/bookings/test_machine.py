"""Bookings, cancellations and changes of capacity in any order, against a plain model of a waiting list."""

from dataclasses import dataclass, field

import pytest
from flask import Flask
from hypothesis import HealthCheck, settings
from hypothesis import strategies as st
from hypothesis.stateful import Bundle, RuleBasedStateMachine, initialize, invariant, rule, run_state_machine_as_test

from booking.bookings import actions
from booking.bookings.actions import Contact, NewPlace
from booking.bookings.models import Booking, Place
from booking.calendar.models import Event
from booking.core.db import db
from booking.core.errors import Refused
from tests import factories


@dataclass
class Group:
    """A booking of the model: how many of its places are confirmed and waiting, in their order."""

    together: bool
    places: list[str] = field(default_factory=list)


@dataclass
class Model:
    """A waiting list in plain Python."""

    capacity: int
    queue: list[tuple[Group, int]] = field(default_factory=list)
    groups: list[Group] = field(default_factory=list)

    @property
    def taken(self) -> int:
        return sum(group.places.count("confirmed") for group in self.groups)

    def book(self, size: int, together: bool) -> Group:
        group = Group(together, ["waiting"] * size)
        self.groups.append(group)
        self.queue += [(group, number) for number in range(size)]
        self.settle()
        return group

    def cancel(self, group: Group, numbers: list[int]) -> None:
        for number in numbers:
            group.places[number] = "cancelled"
        self.settle()

    def settle(self) -> None:
        """Go through the queue from its head; whoever fits comes in."""
        self.queue = [(group, number) for group, number in self.queue if group.places[number] == "waiting"]
        done: list[int] = []
        for group, number in self.queue:
            if group.places[number] != "waiting" or id(group) in done:
                continue
            entry = [n for n, status in enumerate(group.places) if status == "waiting"] if group.together else [number]
            if group.together:
                done.append(id(group))
            if self.taken + len(entry) <= self.capacity:
                for one in entry:
                    group.places[one] = "confirmed"


class Machine(RuleBasedStateMachine):
    bookings = Bundle("bookings")
    app: Flask

    @initialize(capacity=st.integers(0, 5))
    def begin(self, capacity: int) -> None:
        self.context = self.app.app_context()
        self.context.push()
        self.event_id = factories.make_event(capacity=capacity, places_per_booking=5).id
        self.model = Model(capacity)
        self.count = 0

    def teardown(self) -> None:
        if hasattr(self, "context"):
            db.session.remove()
            self.context.pop()

    @property
    def event(self) -> Event:
        event = db.session.get(Event, self.event_id)
        assert event is not None
        return event

    @rule(target=bookings, size=st.integers(1, 4), together=st.booleans())
    def book(self, size: int, together: bool) -> tuple[int, int]:
        self.count += 1
        people = [NewPlace(f"Person {number}", f"p{number}.{self.count}@school.example") for number in range(size)]
        by = Contact(people[0].name, people[0].email)
        booking = actions.book(self.event, by=by, places=people, together=together)
        self.model.book(size, together)
        return booking.id, len(self.model.groups) - 1

    @rule(which=bookings, chosen=st.sets(st.integers(0, 3), min_size=1))
    def cancel(self, which: tuple[int, int], chosen: set[int]) -> None:
        booking_id, number = which
        booking = db.session.get(Booking, booking_id)
        group = self.model.groups[number]
        numbers = [n for n in sorted(chosen) if n < len(group.places)]
        actions.cancel(booking, places=[booking.places[n] for n in numbers])
        self.model.cancel(group, numbers)

    @rule(capacity=st.integers(0, 8))
    def change_capacity(self, capacity: int) -> None:
        event = self.event
        if capacity < self.model.taken:
            event.capacity = capacity
            with pytest.raises((Refused, db_error())):
                actions_after_change(event)
            db.session.rollback()
            return
        event.capacity = capacity
        db.session.commit()
        actions.capacity_changed(event)
        self.model.capacity = capacity
        self.model.settle()

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "model"):
            return
        db.session.expire_all()
        found: dict[int, list[str]] = {}
        for place in db.session.query(Place).filter_by(event_id=self.event_id).order_by(Place.id):
            found.setdefault(place.booking_id, []).append(str(place.status))
        assert list(found.values()) == [group.places for group in self.model.groups]
        assert self.event.taken == self.model.taken <= self.event.capacity
        assert actions.audit() == []


def db_error() -> type[Exception]:
    from sqlalchemy.exc import IntegrityError

    return IntegrityError


def actions_after_change(event: Event) -> None:
    db.session.flush()
    actions.capacity_changed(event)


@pytest.mark.both_databases
@pytest.mark.usefixtures("school_day")
def test_any_order_of_changes_ends_as_the_model_says(app: Flask, backend: str) -> None:
    machine = type("MachineOnADatabase", (Machine,), {"app": app})
    examples = 40 if backend == "sqlite" else 20
    run_state_machine_as_test(
        machine,
        settings=settings(
            max_examples=examples,
            stateful_step_count=20,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
        ),
    )
