"""The form of an event with its rules for booking."""

from dataclasses import replace
from datetime import time
from typing import Any

from wtforms import BooleanField, RadioField, SelectField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.fields.core import UnboundField
from wtforms.validators import Length, NumberRange, Optional

from booking.calendar.actions import EventValues
from booking.calendar.forms import ClockField, DayField, EventForm, WholeField, instant_of, refuse_a_time_alone
from booking.calendar.models import Event, Promotion, WhoMayBook
from booking.calendar.rules import EARLIEST_LAST_CHANGE, LONGEST_OFFER, MOST_PER_SCHOOL, BookingRules, rules_of
from booking.core.clock import wall
from booking.core.forms import cleaned

WHO = [
    SelectChoice(WhoMayBook.ANYONE.value, "Anyone who sees it"),
    SelectChoice(WhoMayBook.AUDIENCE.value, "Whom it is for (they say so)"),
    SelectChoice(WhoMayBook.SCHOOLS.value, "Our schools first"),
    SelectChoice(WhoMayBook.INVITED.value, "By invitation, with a link"),
]
AT_ONCE, AS_AN_OFFER = Promotion.AUTOMATIC.value, Promotion.OFFER.value
TEAM_DECIDES, GO_ON = "team", "go-on"
NINE = time(9, 0)
USUAL = BookingRules()


def _hours_field(label: str, least: int, most: int, **more: Any) -> WholeField:
    limits = NumberRange(least, most, message=f"Enter a number of hours from {least} to {most}")
    return WholeField(label, [Optional(), limits], **more)


class EventWithRulesForm(EventForm):
    """What an organiser says of an event and of how it is booked. What is left empty follows the usual rule."""

    opens_day = DayField("Booking opens on", [Optional()], description="Empty: at once. Without a time: at 9am.")
    opens_time = ClockField("Opens at", [Optional()])
    who_may_book = SelectField("Who may book", choices=WHO, default=WhoMayBook.ANYONE.value)
    schools_first_day = DayField(
        "Our schools only until", [Optional()], description="With “Our schools first”. Empty: for good."
    )
    schools_first_time = ClockField("Until (time)", [Optional()])
    per_school = WholeField(
        "Places for each school, at most",
        [Optional(), NumberRange(1, MOST_PER_SCHOOL, message=f"Enter a number from 1 to {MOST_PER_SCHOOL:,}")],
        description="Empty means no limit.",
    )
    lifted_day = DayField(
        "Lifted on", [Optional()], description="From then on schools may have more, and those who wait move up."
    )
    lifted_time = ClockField("Lifted at", [Optional()])
    promotion = RadioField(
        "A free place goes to who waits",
        choices=[
            SelectChoice(AT_ONCE, "at once: they have it, and hear of it"),
            SelectChoice(AS_AN_OFFER, "as an offer, held until they answer"),
        ],
        default=AT_ONCE,
    )
    offer_hours = _hours_field(
        "Hours an offer is held",
        1,
        LONGEST_OFFER,
        default=USUAL.offer_hours,
        description="Shorter near the day. An offer never ends at night, at a weekend or in the holidays.",
    )
    late_places = RadioField(
        "Places that come free near the day",
        choices=[
            SelectChoice(TEAM_DECIDES, "from noon of the school day before, the team decides"),
            SelectChoice(GO_ON, "go on to who waits until it starts"),
        ],
        default=TEAM_DECIDES,
    )
    changes_until_hours = _hours_field(
        "Bookers change and cancel until so many hours before it starts",
        0,
        EARLIEST_LAST_CHANGE,
        default=USUAL.changes_until_hours,
        description="0: until it starts. After that they have to ask you.",
    )
    no_link_in_invitation = BooleanField(
        "Keep the joining link out of calendar entries",
        description="It stands in the mails and on the page of whoever has a place all the same.",
    )
    series = StringField(
        "Series",
        [Length(max=120, message="Use at most 120 letters")],
        [cleaned],
        description="Events with the same words here belong together: who booked one may change to another date of it.",
    )

    def validate_opens_time(self, field: ClockField) -> None:
        """Refuse a time without its day."""
        refuse_a_time_alone(field, self.opens_day)

    def validate_schools_first_time(self, field: ClockField) -> None:
        """Refuse a time without its day."""
        refuse_a_time_alone(field, self.schools_first_day)

    def validate_lifted_time(self, field: ClockField) -> None:
        """Refuse a time without its day."""
        refuse_a_time_alone(field, self.lifted_day)

    def values(self) -> EventValues:
        """Return what was said."""
        return replace(super().values(), rules=self.rules())

    def rules(self) -> BookingRules:
        """Return what was said of how it is booked."""
        changes, hours = self.changes_until_hours.data, self.offer_hours.data
        return BookingRules(
            opens_at=instant_of(self.opens_day, self.opens_time, otherwise=NINE),
            who_may_book=WhoMayBook(self.who_may_book.data),
            schools_first_until=instant_of(self.schools_first_day, self.schools_first_time, otherwise=NINE),
            per_school=self.per_school.data,
            per_school_until=instant_of(self.lifted_day, self.lifted_time, otherwise=NINE),
            promotion=Promotion(self.promotion.data),
            offer_hours=USUAL.offer_hours if hours is None else hours,
            late_places_go_on=self.late_places.data == GO_ON,
            changes_until_hours=USUAL.changes_until_hours if changes is None else changes,
            link_in_invitation=not self.no_link_in_invitation.data,
            series=self.series.data or "",
        )

    @property
    def rules_matter(self) -> bool:
        """Tell whether somebody should see the rules at once: one is unusual, or wrong."""
        if any(self[name].errors for name in RULE_FIELDS):
            return True
        return self.rules() != USUAL


RULE_FIELDS = tuple(name for name, field in vars(EventWithRulesForm).items() if isinstance(field, UnboundField))


def rules_data_of(event: Event) -> dict[str, Any]:
    """Return the rules of an event as the form shows them."""
    rules = rules_of(event)
    instants = {
        "opens": rules.opens_at,
        "schools_first": rules.schools_first_until,
        "lifted": rules.per_school_until,
    }
    shown: dict[str, Any] = {}
    for name, instant in instants.items():
        there = wall(instant) if instant else None
        shown[f"{name}_day"], shown[f"{name}_time"] = (there.date(), there.time()) if there else (None, None)
    return {
        **shown,
        "who_may_book": rules.who_may_book.value,
        "per_school": rules.per_school,
        "promotion": rules.promotion.value,
        "offer_hours": rules.offer_hours,
        "late_places": GO_ON if rules.late_places_go_on else TEAM_DECIDES,
        "changes_until_hours": rules.changes_until_hours,
        "no_link_in_invitation": not rules.link_in_invitation,
        "series": rules.series,
    }
