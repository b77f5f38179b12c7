"""How dates, times and numbers are said everywhere: `Monday 25 March 2024`, `1.30pm`, `12 noon`."""

from datetime import date, datetime, time, timedelta

from booking.core.clock import wall

NOON, MIDNIGHT = time(12, 0), time(0, 0)
_DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday", "Saturday", "Sunday")
_MONTHS = (
    "January",
    "February",
    "March",
    "April",
    "May",
    "June",
    "July",
    "August",
    "September",
    "October",
    "November",
    "December",
)
_SMALL = ("no", "one", "two", "three", "four", "five", "six", "seven", "eight", "nine")


def say_time(at: time | None) -> str:
    """Return `1.30pm`, `9am`, `12 noon`; nothing for None."""
    if at is None:
        return ""
    if at == NOON:
        return "12 noon"
    if at == MIDNIGHT:
        return "midnight"
    minutes = f".{at.minute:02d}" if at.minute else ""
    return f"{at.hour % 12 or 12}{minutes}{'am' if at.hour < 12 else 'pm'}"


def say_times(starts: time | None, ends: time | None) -> str:
    """Return `1pm to 2pm`, or the start alone; nothing where there is none."""
    return f"{say_time(starts)} to {say_time(ends)}" if starts and ends else say_time(starts)


def say_weekday(day: date) -> str:
    """Return `Monday`."""
    return _DAYS[day.weekday()]


def say_month(day: date) -> str:
    """Return `March 2024`."""
    return f"{_MONTHS[day.month - 1]} {day.year}"


def say_day(day: date) -> str:
    """Return `Monday 25 March 2024`."""
    return f"{say_weekday(day)} {say_day_month(day)} {day.year}"


def say_day_month(day: date) -> str:
    """Return `25 March`."""
    return f"{day.day} {_MONTHS[day.month - 1]}"


def say_day_short(day: date) -> str:
    """Return `Mon 25 March`."""
    return f"{say_weekday(day)[:3]} {say_day_month(day)}"


def say_date(first: date, last: date | None = None) -> str:
    """Return the day, or `Monday 25 to Wednesday 27 March 2024`."""
    if last is None or last == first:
        return say_day(first)
    if (first.year, first.month) == (last.year, last.month):
        return f"{say_weekday(first)} {first.day} to {say_day(last)}"
    if first.year == last.year:
        return f"{say_weekday(first)} {say_day_month(first)} to {say_day(last)}"
    return f"{say_day(first)} to {say_day(last)}"


def say_instant(at: datetime) -> str:
    """Return `Thursday 21 March, 12 noon`, on the wall in Britain."""
    there = wall(at)
    return f"{say_weekday(there)} {say_day_month(there)}, {say_time(there.time().replace(second=0, microsecond=0))}"


def say_instant_short(at: datetime) -> str:
    """Return `Thu 21 March, 12 noon`, on the wall in Britain."""
    there = wall(at)
    return f"{say_day_short(there)}, {say_time(there.time().replace(second=0, microsecond=0))}"


def last_day_of(closing: datetime) -> date:
    """Return the last day on which something can still be done that closes at this instant."""
    return wall(closing - timedelta(microseconds=1)).date()


def say_closing(at: datetime) -> str:
    """Return `Thursday 21 March, 12 noon`; `at the end of Wednesday 20 March` for the midnight after it."""
    if wall(at).time() != MIDNIGHT:
        return say_instant(at)
    day = last_day_of(at)
    return f"at the end of {say_weekday(day)} {say_day_month(day)}"


def say_left(today: date, day: date) -> str:
    """Return `today`, `tomorrow`, `in 5 days`, `in 6 weeks`, `in 4 months`; `over` for a day that has passed."""
    days = (day - today).days
    if days < 0:
        return "over"
    if days < 2:
        return ("today", "tomorrow")[days]
    if days < 14:
        return f"in {days} days"
    if days < 120:
        return f"in {round(days / 7)} weeks"
    return f"in {round(days / 30.4)} months"


def say_count(number: int, one: str, several: str = "") -> str:
    """Return `1 place`, `2 places`, `no places`."""
    return f"{number or 'no'} {one if number == 1 else several or one + 's'}"


def say_number(number: int) -> str:
    """Return numbers below ten in words."""
    return _SMALL[number] if 0 <= number < len(_SMALL) else str(number)


__all__ = [
    "say_closing",
    "say_count",
    "say_date",
    "say_day",
    "say_day_month",
    "say_day_short",
    "say_instant",
    "say_instant_short",
    "say_left",
    "say_month",
    "say_number",
    "say_time",
    "say_times",
    "say_weekday",
]
