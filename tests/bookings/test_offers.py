"""Until when an offer is held, on a real database: the days off come from it."""

from datetime import UTC, date, datetime

import pytest
import time_machine
from flask import Flask

from booking.bookings import actions, promotions
from booking.bookings.models import PlaceStatus
from booking.calendar.models import Promotion
from tests.factories import make_booking, make_event


@pytest.mark.both_databases
def test_an_offer_made_long_before_the_day_does_not_end_on_a_bank_holiday_either(in_app: Flask) -> None:
    friday = datetime(2027, 4, 30, 9, 0, tzinfo=UTC)  # before the bank holiday on Monday 3 May
    with time_machine.travel(friday, tick=False):
        event = make_event(day=date(2027, 10, 5), capacity=1, promotion=Promotion.OFFER, offer_hours=48)
        first = make_booking(event, "Ada Obi")
        waits = make_booking(event, "Uma Shah", status=PlaceStatus.WAITING).places[0]
        actions.cancel(first)
        assert (waits.status, waits.offered_until) == (PlaceStatus.OFFERED, datetime(2027, 5, 4, 9, 0, tzinfo=UTC))
        assert promotions.is_on(event)
