"""A process of its own that does what people do, at random, so many times: `python -m tests.bookings.somebody`.

Prints one line: how often it did what, and what went wrong that may not.
"""

import json
import random
import sys
from collections import Counter

from booking.bookings import actions, changes, promotions
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.models import Place, PlaceStatus
from booking.calendar.models import Event
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.models import Person, School
from tests.bookings.numbers import change
from tests.databases import close, make_app


class Somebody:
    """Acts on the rows that are there now, whoever made them."""

    def __init__(self, seed: int) -> None:
        self.chance, self.seed, self.count = random.Random(seed), seed, 0

    def new_person(self) -> NewPlace:
        self.count += 1
        return NewPlace(f"Person {self.count}", f"p{self.seed}.{self.count}@school.example")

    def event(self) -> Event:
        return self.chance.choice(db.session.query(Event).order_by(Event.id).all())

    def place(self) -> Place:
        found = db.session.query(Place).filter(Place.status != PlaceStatus.CANCELLED).order_by(Place.id).all()
        if not found:
            raise Refused("nobody is there yet")
        return self.chance.choice(found)

    def organiser(self) -> Person:
        return db.session.query(Person).order_by(Person.id).first()

    def book(self) -> None:
        people = [self.new_person() for _ in range(self.chance.randint(1, 3))]
        schools = [None, *db.session.scalars(db.select(School.id))]
        by = Contact(people[0].name, people[0].email, self.chance.choice(schools))
        actions.book(self.event(), by=by, places=people, together=self.chance.random() < 0.5)

    def cancel(self) -> None:
        place = self.place()
        actions.cancel(place.booking, places=[place] if self.chance.random() < 0.7 else None)

    def swap(self) -> None:
        changes.swap(self.place(), self.new_person())

    def move(self) -> None:
        booking = self.place().booking
        others = db.session.query(Event).filter(Event.id != booking.event_id).all()
        changes.move(booking, to=self.chance.choice(others))

    def accept(self) -> None:
        place = self.place()
        promotions.accept(place.event, [place])

    def let_in(self) -> None:
        place = self.place()
        if self.chance.random() < 0.2:
            promotions.let_in_beyond(place.event, place, by=self.organiser(), reason="A new SENCo")
        else:
            promotions.let_in(place.event, place, by=self.organiser())

    def pause(self) -> None:
        promotions.pause(self.event(), by=self.organiser(), paused=self.chance.random() < 0.3)

    def numbers(self) -> None:
        change(self.event(), capacity=self.chance.randint(2, 12), per_school=self.chance.choice([None, 1, 2, 3]))

    def act(self) -> str:
        """Do one thing; return its name, or `refused`."""
        acts = [self.book] * 6 + [self.cancel] * 4 + [self.swap, self.move, self.accept, self.accept, self.let_in]
        act = self.chance.choice([*acts, self.pause, self.numbers])
        try:
            act()
        except Refused:
            return "refused"
        finally:
            db.session.remove()
        return act.__name__


def main(url: str, seed: int, times: int) -> None:
    """Act so many times on this database."""
    app = make_app(url)
    done: Counter[str] = Counter()
    with app.app_context():
        somebody = Somebody(seed)
        for _ in range(times):
            try:
                done[somebody.act()] += 1
            except Exception as wrong:  # every one of them is a fault: the test says so
                db.session.rollback()
                done[f"WRONG {type(wrong).__name__}: {str(wrong)[:300]}"] += 1
    close(app)
    print(json.dumps(done))


if __name__ == "__main__":
    main(sys.argv[1], int(sys.argv[2]), int(sys.argv[3]))
