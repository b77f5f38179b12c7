"""All that can happen to places, in any order, against a model in plain Python."""

from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    Bundle,
    RuleBasedStateMachine,
    consumes,
    initialize,
    invariant,
    rule,
    run_state_machine_as_test,
)

from booking.bookings import actions, changes, promotions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.audit import audit
from booking.bookings.models import Booking, BookingChange, InvitationCount, Place, PlaceStatus, SchoolCount
from booking.calendar.models import Event, EventStatus, Promotion, Series
from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.models import Person
from booking.notifications.models import Message
from tests import factories
from tests.bookings.model import Group, Model, Seat
from tests.bookings.numbers import change

BEGIN = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
TABLES = (AuditEntry, SchoolCount, BookingChange, InvitationCount, Message, Place, Booking, Event, Series)
numbers = st.sets(st.integers(0, 3), min_size=1)


def held_now(booking: Booking) -> list[Place]:
    """Return the places of a booking in the order they were booked, each as whoever holds it now."""
    by_id = {place.id: place for place in booking.places}
    successors = {place.became_id for place in booking.places}
    found = [place for place in booking.places if place.id not in successors]
    return [holder(place, by_id) for place in sorted(found, key=lambda place: place.id)]


def holder(place: Place, by_id: dict[int, Place]) -> Place:
    return holder(by_id[place.became_id], by_id) if place.became_id in by_id else place


class Machine(RuleBasedStateMachine):
    """Two dates of a series. What is refused has to be refused by the model too, and changes nothing."""

    bookings = Bundle("bookings")
    app: Flask
    schools: tuple[int, int]
    organiser_id: int

    @initialize(
        capacities=st.tuples(st.integers(0, 5), st.integers(0, 4)),
        per_school=st.one_of(st.none(), st.integers(1, 3)),
        lifted_in=st.one_of(st.none(), st.integers(1, 5)),
        offers=st.booleans(),
    )
    def begin(self, capacities: tuple[int, int], per_school: int | None, lifted_in: int | None, offers: bool) -> None:
        self.travel = time_machine.travel(BEGIN)
        self.clock = self.travel.start()
        self.context = self.app.app_context()
        self.context.push()
        for model in TABLES:
            db.session.execute(sa.delete(model))
        db.session.commit()
        series = factories.save(Series(area_id=factories.the_area().id, name="Solution Circles"))
        until = BEGIN + timedelta(days=lifted_in) if lifted_in and per_school else None
        self.events, self.models = [], []
        for capacity in capacities:
            rules = {"per_school": per_school, "per_school_until": until, "series_id": series.id}
            rules["promotion"] = Promotion.OFFER if offers else Promotion.AUTOMATIC
            event = factories.make_event(capacity=capacity, places_per_booking=5, in_days=60, **rules)
            self.events.append(event.id)
            self.models.append(Model(capacity, per_school, until and until.timestamp(), offers))
        self.count = 0
        self.tell_the_time()

    def teardown(self) -> None:
        if hasattr(self, "context"):
            db.session.remove()
            self.context.pop()
            self.travel.stop()

    def tell_the_time(self) -> None:
        for model in self.models:
            model.clock = datetime.now(UTC).timestamp()

    def event(self, number: int) -> Event:
        found = db.session.get(Event, self.events[number])
        assert found is not None
        return found

    @property
    def organiser(self) -> Person:
        found = db.session.get(Person, self.organiser_id)
        assert found is not None
        return found

    def see_when_offers_end(self) -> None:
        """Tell the model when the offers that it made as well end: how long one is held is another rule's matter."""
        db.session.expire_all()
        for which, model in enumerate(self.models):
            places = db.session.query(Place).filter_by(event_id=self.events[which], status=PlaceStatus.OFFERED)
            untils = {place.position: place.offered_until.timestamp() for place in places}
            for group in model.groups:
                for seat in group.seats:
                    if seat.status == "offered" and seat.number in untils:
                        seat.until = untils[seat.number]

    def active(self, which: tuple[int, int, Group], chosen: set[int]) -> tuple[Booking, list[Place], list[Seat]]:
        """Return a booking, and those of the chosen places of it that are active, in both worlds."""
        _, booking_id, group = which
        booking = db.session.get(Booking, booking_id)
        assert booking is not None
        db.session.refresh(booking)
        places = held_now(booking)
        both = [(places[n], group.seats[n]) for n in sorted(chosen) if n < len(group.seats)]
        both = [(place, seat) for place, seat in both if seat.status != "cancelled"]
        return booking, [place for place, _ in both], [seat for _, seat in both]

    @rule(
        target=bookings,
        where=st.integers(0, 1),
        size=st.integers(1, 4),
        together=st.booleans(),
        school=st.sampled_from([None, 0, 1]),
    )
    def book(self, where: int, size: int, together: bool, school: int | None) -> tuple[int, int, Group]:
        self.count += 1
        people = [NewPlace(f"Person {number}", f"p{number}.{self.count}@school.example") for number in range(size)]
        school_id = None if school is None else self.schools[school]
        by = Contact(people[0].name, people[0].email, school_id)
        model = self.models[where]
        if model.cancelled:
            with pytest.raises(Refused):
                actions.book(self.event(where), by=by, places=people, together=together)
            return where, 0, Group(together, school)
        booking = actions.book(self.event(where), by=by, places=people, together=together)
        return where, booking.id, model.book(size, together=together, school=school)

    @rule(which=bookings, chosen=numbers)
    def cancel(self, which: tuple[int, int, Group], chosen: set[int]) -> None:
        if not which[1]:
            return
        booking, places, seats = self.active(which, chosen)
        model = self.models[which[0]]
        if model.cancelled:
            with pytest.raises(Refused):
                actions.cancel(booking, places=places)
        elif places:
            actions.cancel(booking, places=places)
            model.cancel(seats)

    @rule(which=bookings, chosen=numbers)
    def swap(self, which: tuple[int, int, Group], chosen: set[int]) -> None:
        if not which[1]:
            return
        _, places, seats = self.active(which, chosen)
        model = self.models[which[0]]
        if not places or model.cancelled:
            return
        self.count += 1
        model.bring_up_to_date()
        to = NewPlace("Somebody Else", f"swapped.{self.count}@school.example")
        if seats[0].status == "cancelled":  # the offer had ended
            with pytest.raises(Refused):
                changes.swap(places[0], to)
            promotions.settle_due()  # what the refused action had seen to is undone with it
            return
        changes.swap(places[0], to)

    @rule(which=bookings, chosen=numbers)
    def accept(self, which: tuple[int, int, Group], chosen: set[int]) -> None:
        if not which[1]:
            return
        booking, places, seats = self.active(which, chosen)
        model = self.models[which[0]]
        offered = [place for place in places if place.status is PlaceStatus.OFFERED]
        if not offered or model.cancelled:
            return
        mine = [seat for seat in seats if seat.status == "offered"]
        model.bring_up_to_date()
        if not [seat for seat in mine if seat.status == "offered"]:
            with pytest.raises(Refused):
                promotions.accept(booking.event, offered)
            promotions.settle_due()
            return
        promotions.accept(booking.event, offered)
        for seat in mine:
            seat.status = "confirmed" if seat.status == "offered" else seat.status

    @rule(target=bookings, which=consumes(bookings))
    def move(self, which: tuple[int, int, Group]) -> tuple[int, int, Group]:
        """Move all of a booking to the other date."""
        where, booking_id, group = which
        if not booking_id:
            return which
        booking, places, seats = self.active(which, {0, 1, 2, 3})
        here, there = self.models[where], self.models[1 - where]
        if not places or here.cancelled:
            return which
        here.bring_up_to_date()
        there.bring_up_to_date()
        seats = [seat for seat in seats if seat.status != "cancelled"]
        guest = Group(group.together, group.school, [Seat("confirmed") for _ in seats])
        overtakes = any(there.fits(other, len(waits)) for other, waits in there.entries())
        if there.cancelled or not seats or overtakes or not there.fits(guest, len(seats)):
            with pytest.raises(Refused):
                changes.move(booking, to=self.event(1 - where), places=places)
            promotions.settle_due()
            return which
        moved = changes.move(booking, to=self.event(1 - where), places=places)
        there.groups.append(guest)
        here.cancel(seats)
        return 1 - where, moved.id, guest

    @rule(where=st.integers(0, 1), capacity=st.integers(0, 8))
    def change_capacity(self, where: int, capacity: int) -> None:
        model = self.models[where]
        if model.cancelled:
            return
        if capacity < model.taken():
            with pytest.raises(Refused):
                change(self.event(where), capacity=capacity)
            return
        change(self.event(where), capacity=capacity)
        model.capacity = capacity
        model.settle()

    @rule(where=st.integers(0, 1), per_school=st.one_of(st.none(), st.integers(1, 4)))
    def change_limit_of_schools(self, where: int, per_school: int | None) -> None:
        model = self.models[where]
        if model.cancelled:
            return
        before, model.per_school = model.per_school, per_school
        over = model.limits_schools and any(
            model.taken(school) > per_school + model.extra.get(school, 0) for school in (0, 1)
        )
        if over:
            model.per_school = before
            with pytest.raises(Refused):
                change(self.event(where), per_school=per_school)
            return
        change(self.event(where), per_school=per_school)
        if model.limits_schools and before is not None and per_school > before:
            beyond = {school: max(model.taken(school) - per_school, 0) for school in model.extra}
            model.extra = {school: min(extra, beyond[school]) for school, extra in model.extra.items()}
        model.settle()

    @rule(where=st.integers(0, 1), paused=st.booleans())
    def pause(self, where: int, paused: bool) -> None:
        model = self.models[where]
        promotions.pause(self.event(where), by=self.organiser, paused=paused)
        if model.paused != paused:
            model.paused = paused
            model.settle()

    @rule(which=bookings, beyond=st.booleans())
    def let_in(self, which: tuple[int, int, Group], beyond: bool) -> None:
        where, booking_id, group = which
        model = self.models[where]
        if not booking_id or model.cancelled:
            return
        model.bring_up_to_date()
        promotions.settle_due()
        _, places, seats = self.active(which, {0, 1, 2, 3})
        waits = [(place, seat) for place, seat in zip(places, seats, strict=True) if seat.status == "waiting"]
        if not waits:
            return
        entry = [seat for _, seat in waits] if group.together else [waits[0][1]]
        if beyond:
            promotions.let_in_beyond(self.event(where), waits[0][0], by=self.organiser, reason="A new SENCo")
            self.raise_limits(model, group, len(entry))
        elif not model.fits(group, len(entry)):
            with pytest.raises(Refused):
                promotions.let_in(self.event(where), waits[0][0], by=self.organiser)
            return
        else:
            promotions.let_in(self.event(where), waits[0][0], by=self.organiser)
        for seat in entry:
            seat.status = "confirmed"

    def raise_limits(self, model: Model, group: Group, number: int) -> None:
        model.capacity = max(model.capacity, model.taken() + number)
        if group.school is not None and model.limits_schools:
            missing = model.taken(group.school) + number - model.per_school - model.extra.get(group.school, 0)
            model.extra[group.school] = model.extra.get(group.school, 0) + max(missing, 0)

    @rule(hours=st.integers(1, 40), scheduler_runs=st.booleans())
    def wait(self, hours: int, scheduler_runs: bool) -> None:
        self.clock.shift(timedelta(hours=hours))
        self.tell_the_time()
        if scheduler_runs:
            promotions.settle_due()
            for model in self.models:
                model.bring_up_to_date()

    @rule(where=st.integers(0, 1), sure=st.integers(0, 9))
    def call_off(self, where: int, sure: int) -> None:
        if sure == 0 and not self.models[where].cancelled:
            event = self.event(where)
            event.status = EventStatus.CANCELLED
            db.session.commit()
            self.models[where].cancelled = True

    @invariant()
    def agrees(self) -> None:
        if not hasattr(self, "models"):
            return
        self.tell_the_time()
        db.session.rollback()
        db.session.expire_all()
        for where, model in enumerate(self.models):
            bookings = db.session.query(Booking).filter_by(event_id=self.events[where]).order_by(Booking.id)
            found = [[str(place.status) for place in held_now(booking)] for booking in bookings]
            assert found == [[seat.status for seat in group.seats] for group in model.groups]
            assert self.event(where).taken == model.taken()
            assert self.event(where).capacity == model.capacity
        assert audit() == []
        self.see_when_offers_end()


@pytest.mark.both_databases
def test_any_order_of_changes_ends_as_the_model_says(app: Flask, backend: str) -> None:
    with app.app_context():
        schools = (factories.make_school("Oak").id, factories.make_school("Ash").id)
        organiser_id = factories.make_organiser().id
        factories.make_category()
    state = {"app": app, "schools": schools, "organiser_id": organiser_id}
    run_state_machine_as_test(
        type("MachineOnADatabase", (Machine,), state),
        settings=settings(
            max_examples=30 if backend == "sqlite" else 12,
            stateful_step_count=25,
            deadline=None,
            suppress_health_check=list(HealthCheck),
            derandomize=True,
            phases=[Phase.generate],  # to shrink a failure takes minutes: do that by hand, when there is one
        ),
    )
