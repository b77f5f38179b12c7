"""How the digest says things: the same words on the page, in the mail, and for other mailers."""

from booking.bookings.models import PlaceStatus
from booking.calendar.wording import say_day_short, say_time, say_times
from booking.digests.models import DigestPlan
from booking.digests.policy import Change, Entry, News

SAY_CHANGE = {Change.NEW: "New", Change.MOVED: "Moved", Change.CANCELLED: "Cancelled"}
SAY_STATUS = {
    PlaceStatus.CONFIRMED: "booked",
    PlaceStatus.WAITING: "on the waiting list",
    PlaceStatus.OFFERED: "held until you answer",
    PlaceStatus.PENDING: "not decided yet",
}


def say_when(entry: Entry) -> str:
    """Return `Thu 3 December, 1.30pm to 3.30pm`, or `Fri 4 December, by 5pm` for what is due then."""
    days = say_day_short(entry.day) + (f" to {say_day_short(entry.last_day)}" if entry.last_day else "")
    if entry.is_deadline:
        return f"{days}, by {say_time(entry.starts)}" if entry.starts else days
    times = say_times(entry.starts, entry.ends)
    return f"{days}, {times}" if times else days


def say_news(news: News) -> str:
    """Return when an event is, what it was before it moved, or when it would have been."""
    entry, was = news.entry, news.was
    if news.change is Change.CANCELLED:
        return f"was to be on {say_when(was or entry)}"
    said = say_when(entry)
    if was is None:
        return said
    before = [say_when(was)] if say_when(was) != said else []
    if was.place != entry.place:
        said = f"{said}, {entry.place or 'place to be said'}"
        before.append(was.place or "without a place")
    return f"now {said} (it was {', '.join(before)})"


def say_plan(plan: DigestPlan) -> str:
    """Return `on Mondays at 7.30am`."""
    return f"on {DAYS[plan.weekday]}s at {say_time(plan.at)}"


DAYS = ("Monday", "Tuesday", "Wednesday", "Thursday", "Friday")
