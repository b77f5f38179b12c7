"""How rules are said: `1 day before at 8am, to those with a place`."""

from booking.calendar.wording import say_count, say_time
from booking.reminders.models import To, Unit
from booking.reminders.policy import Timing

SAY_TO = {
    To.PLACES: "those with a place",
    To.WAITING: "those who wait",
    To.SUBSCRIBERS: "those who asked to be told",
    To.HOSTS: "host and facilitators",
    To.ORGANISERS: "the organisers",
    To.SCHOOLS: "schools that have not answered",
    To.HEADTEACHERS: "the headteachers of those schools",
}
_ONE = {
    Unit.MINUTES: "minute",
    Unit.HOURS: "hour",
    Unit.DAYS: "day",
    Unit.SCHOOL_DAYS: "school day",
    Unit.WEEKS: "week",
}


def say_timing(timing: Timing) -> str:
    """Return `7 days before at 8am`, `the same day at 8am`, `30 minutes before it starts`, `1 day after at 9am`."""
    count = say_count(timing.number, _ONE[timing.unit])
    if timing.at is None:
        if not timing.number:
            return "when it ends" if timing.after else "when it starts"
        return f"{count} {'after it ends' if timing.after else 'before it starts'}"
    if not timing.number:
        return f"the same day at {say_time(timing.at)}"
    return f"{count} {'after' if timing.after else 'before'} at {say_time(timing.at)}"


def say_rule(timing: Timing, to: To) -> str:
    """Return when and to whom."""
    return f"{say_timing(timing)}, to {SAY_TO[to]}"
