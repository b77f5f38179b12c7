"""The rules of places in plain Python, written for reading and not for speed: what the machine compares with."""

from dataclasses import dataclass, field

TAKES = ("confirmed", "offered")


@dataclass(eq=False)
class Seat:
    """One place of the model. `until` is when what is offered ends: a fact, told by whoever offered it."""

    status: str = "waiting"
    number: int = 0
    until: float = 0


@dataclass(eq=False)
class Group:
    """A booking of the model."""

    together: bool
    school: int | None
    seats: list[Seat] = field(default_factory=list)


@dataclass(eq=False)
class Model:
    """An event of the model. `clock` is the time now, in any unit that goes forward."""

    capacity: int | None
    per_school: int | None = None
    lifted_at: float | None = None
    offers: bool = False
    paused: bool = False
    cancelled: bool = False
    clock: float = 0
    last_number: int = 0
    extra: dict[int, int] = field(default_factory=dict)
    groups: list[Group] = field(default_factory=list)

    def taken(self, school: int | None = None) -> int:
        groups = [group for group in self.groups if school is None or group.school == school]
        return sum(seat.status in TAKES for group in groups for seat in group.seats)

    @property
    def limits_schools(self) -> bool:
        return self.per_school is not None and (self.lifted_at is None or self.clock < self.lifted_at)

    def fits(self, group: Group, number: int) -> bool:
        if self.capacity is not None and self.taken() + number > self.capacity:
            return False
        if group.school is None or not self.limits_schools:
            return True
        return self.taken(group.school) + number <= self.per_school + self.extra.get(group.school, 0)

    def entries(self) -> list[tuple[Group, list[Seat]]]:
        """What waits: whole groups and single seats, each where its first number stands."""
        found = []
        for group in self.groups:
            waits = [seat for seat in group.seats if seat.status == "waiting"]
            if group.together and waits:
                found.append((group, waits))
            elif not group.together:
                found += [(group, [seat]) for seat in waits]
        return sorted(found, key=lambda entry: min(seat.number for seat in entry[1]))

    def settle(self) -> None:
        """Offers end, a limit is lifted, and whoever is first of those who fit comes in."""
        if self.cancelled:
            return
        for group in self.groups:
            for seat in group.seats:
                if seat.status == "offered" and seat.until <= self.clock:
                    seat.status = "cancelled"
        if not self.limits_schools:
            self.extra = {}
        for group, seats in [] if self.paused else self.entries():
            if self.fits(group, len(seats)):
                for seat in seats:
                    seat.status = "offered" if self.offers else "confirmed"
                    seat.until = float("inf")  # until the machine has seen when it ends

    def is_due(self) -> bool:
        ended = any(s.status == "offered" and s.until <= self.clock for g in self.groups for s in g.seats)
        return ended or (self.lifted_at is not None and self.per_school is not None and self.clock >= self.lifted_at)

    def bring_up_to_date(self) -> None:
        if self.is_due():
            self.settle()

    def book(self, size: int, *, together: bool, school: int | None) -> Group:
        self.bring_up_to_date()
        group = Group(together, school, [Seat() for _ in range(size)])
        first = any(self.fits(other, len(seats)) for other, seats in self.entries())
        for seats in [group.seats] if together else [[seat] for seat in group.seats]:
            if not first and self.fits_with(group, seats):
                for seat in seats:
                    seat.status = "confirmed"
        self.groups.append(group) if group not in self.groups else None
        for seat in group.seats:
            if seat.status == "waiting":
                self.last_number += 1
                seat.number = self.last_number
        return group

    def fits_with(self, group: Group, seats: list[Seat]) -> bool:
        """Does it fit, with what the group itself has by now?"""
        if group not in self.groups:
            self.groups.append(group)
        return self.fits(group, len(seats))

    def cancel(self, seats: list[Seat]) -> None:
        for seat in seats:
            seat.status = "cancelled"
        self.settle()
