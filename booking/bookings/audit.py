"""Are the data clean? `flask bookings audit` and the tests ask."""

from collections import Counter
from itertools import chain

from booking.bookings import promotions, queries
from booking.core.clock import now


def audit() -> list[str]:
    """Return where the data break rules 1 to 3 of the domain; nothing where they are kept."""
    return list(chain(_counts_wrong(), _schools_wrong(), _doubles(), _order_wrong()))


def _counts_wrong() -> list[str]:
    problems = []
    for event_id, capacity, taken, counted in queries.counted_places():
        if taken != counted:
            problems.append(f"event {event_id}: says {taken} places are taken, {counted} are")
        if capacity is not None and counted > capacity:
            problems.append(f"event {event_id}: {counted} places are taken of {capacity} (rule 1)")
    return problems


def _schools_wrong() -> list[str]:
    problems = []
    held = {(event_id, school_id): number for event_id, school_id, number in queries.held_by_schools()}
    counts = {(row.event_id, row.school_id): row for row in queries.school_counts()}
    limited = queries.events_that_limit_schools(at=now())
    for event_id, school_id in sorted({*held, *counts}):
        if event_id not in limited:
            continue  # a limit that has just been lifted leaves its counts until the event is next seen to
        number, count = held.get((event_id, school_id), 0), counts.get((event_id, school_id))
        if number != (count.taken if count else 0):
            problems.append(f"event {event_id}: the count of school {school_id} is wrong, it has {number} places")
        most = limited[event_id] + (count.extra if count else 0)
        if number > most or (count and count.most != most):
            problems.append(f"event {event_id}: school {school_id} has {number} places of {most} (rule 1)")
    return problems


def _doubles() -> list[str]:
    return [
        f"event {event_id}: an attendee holds {count} active places (rule 2): places {ids}"
        for event_id, count, ids in queries.attendees_with_several_places()
    ]


def _order_wrong() -> list[str]:
    problems = []
    for event in queries.events_where_somebody_waits():
        waiting = queries.waiting_places(event)
        numbers = Counter(place.position for place in waiting)
        if any(count > 1 or not 1 <= number <= event.last_position for number, count in numbers.items()):
            problems.append(f"event {event.id}: numbers of the waiting list are not in one order (rule 3)")
        is_due = event.settle_at is not None and event.settle_at <= now()
        if is_due or not promotions.is_on(event):
            continue
        fitting = promotions.who_fits(event, waiting)
        if fitting:
            problems.append(f"event {event.id}: there is room, and place {fitting[0]} waits (rule 3)")
    return problems
