"""When and where an event is, as one value: to say what it was before it moved."""

from dataclasses import dataclass
from datetime import date, time

from booking.calendar.models import Event


@dataclass(frozen=True, slots=True)
class When:
    """Days and times on the wall, the place in words, and the way to join on line."""

    day: date
    last_day: date | None
    starts: time | None
    ends: time | None
    place: str
    joining_link: str

    @classmethod
    def of(cls, event: Event) -> "When":
        """Return when and where this event is now."""
        return cls(event.day, event.last_day, event.starts, event.ends, place_in_words(event), event.joining_link)

    def differs_from(self, other: "When") -> list[str]:
        """Return what is another: date, time, place, joining link."""
        parts = {
            "date": (self.day, self.last_day) != (other.day, other.last_day),
            "time": (self.starts, self.ends) != (other.starts, other.ends),
            "place": self.place != other.place,
            "joining link": self.joining_link != other.joining_link,
        }
        return [name for name, differs in parts.items() if differs]


def place_in_words(event: Event) -> str:
    """Return where it is: the venue's name and address, or nothing."""
    if event.venue is None:
        return ""
    return ", ".join(part for part in (event.venue.name, event.venue.address) if part)
