"""The rules for booking an event: what an organiser says of them, and what cannot be."""

from dataclasses import dataclass
from datetime import datetime
from typing import Any

from booking.calendar.models import Event, Promotion, Series, WhoMayBook
from booking.core.errors import refuse_unless
from booking.core.tokens import new_key

MOST_PER_SCHOOL = 100_000
LONGEST_OFFER = 336  # two weeks, in hours
EARLIEST_LAST_CHANGE = 720  # thirty days, in hours


@dataclass(frozen=True, slots=True)
class BookingRules:
    """What an organiser says of how an event is booked; as it stands here where nothing is said.

    Instants are aware; `series` is the name of the series it belongs to, empty for none.
    """

    opens_at: datetime | None = None
    who_may_book: WhoMayBook = WhoMayBook.ANYONE
    schools_first_until: datetime | None = None
    per_school: int | None = None
    per_school_until: datetime | None = None
    promotion: Promotion = Promotion.AUTOMATIC
    offer_hours: int = 48
    late_places_go_on: bool = False
    changes_until_hours: int = 0
    link_in_invitation: bool = True
    series: str = ""


COLUMNS = tuple(name for name in BookingRules.__dataclass_fields__ if name != "series")


def rules_of(event: Event) -> BookingRules:
    """Return the rules of an event as they are now."""
    said: dict[str, Any] = {name: getattr(event, name) for name in COLUMNS}
    return BookingRules(**said, series=event.series.name if event.series else "")


def write_rules(event: Event, rules: BookingRules, series: Series | None) -> None:
    """Write the rules onto an event; the first invitation makes the key of its link, which is kept from then on."""
    for name in COLUMNS:
        setattr(event, name, getattr(rules, name))
    event.series, event.series_id = series, series.id if series else None
    if rules.who_may_book is WhoMayBook.INVITED and event.invitation_key is None:
        event.invitation_key = new_key()


def refuse_rules_that_cannot_be(
    rules: BookingRules, *, for_somebody: bool, private: bool, closes_at: datetime | None, starts_at: datetime
) -> None:
    """Raise Refused where rules contradict each other or the event; `for_somebody`: it names audiences."""
    _refuse_times(rules, closes_at, starts_at)
    refuse_unless(
        rules.who_may_book is not WhoMayBook.AUDIENCE or for_somebody,
        "Tick whom it is for: only they may book.",
        field="audiences",
    )
    refuse_unless(
        rules.schools_first_until is None or rules.who_may_book is WhoMayBook.SCHOOLS,
        "Choose “Our schools first” too, or leave the day empty.",
        field="schools_first_day",
    )
    refuse_unless(
        rules.per_school is None or 1 <= rules.per_school <= MOST_PER_SCHOOL,
        "Give each school one place at least, or leave it empty for no limit.",
        field="per_school",
    )
    # Whoever books for a school and has to wait would know by it that others of that school come (rule 7).
    refuse_unless(
        rules.per_school is None or not private,
        "A private event has no limit for each school: it would tell who else comes. Leave this empty.",
        field="per_school",
    )
    refuse_unless(
        rules.per_school_until is None or rules.per_school is not None,
        "Enter the places for each school too, or leave the day empty.",
        field="lifted_day",
    )
    refuse_unless(
        1 <= rules.offer_hours <= LONGEST_OFFER,
        f"An offer is held for 1 to {LONGEST_OFFER} hours.",
        field="offer_hours",
    )
    refuse_unless(
        0 <= rules.changes_until_hours <= EARLIEST_LAST_CHANGE,
        f"Enter a number of hours from 0 to {EARLIEST_LAST_CHANGE}.",
        field="changes_until_hours",
    )


def _refuse_times(rules: BookingRules, closes_at: datetime | None, starts_at: datetime) -> None:
    if rules.opens_at is None:
        return
    refuse_unless(rules.opens_at < starts_at, "Booking has to open before the event starts.", field="opens_day")
    refuse_unless(
        closes_at is None or rules.opens_at < closes_at, "Booking has to open before it closes.", field="opens_day"
    )
