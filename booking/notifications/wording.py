"""The life of a message in plain words."""

from booking.core.clock import now
from booking.notifications.models import Message, MessageStatus

SAY_STATUS = {
    MessageStatus.QUEUED: "waiting to go",
    MessageStatus.CLAIMED: "going now",
    MessageStatus.SENT: "sent",
    MessageStatus.FAILED: "refused",
    MessageStatus.DROPPED: "not needed any more",
}


def say_life(message: Message) -> str:
    """Return what became of a message, and what comes next, without instants: the page writes those."""
    if message.status is MessageStatus.SENT:
        return "Sent" if message.tries < 2 else f"Sent at the {_nth(message.tries)} try"
    if message.status is MessageStatus.FAILED:
        return f"Refused: {message.outcome}"
    if message.status is MessageStatus.DROPPED:
        return f"Not needed any more: {message.outcome}"
    if message.status is MessageStatus.CLAIMED:
        return "Going now"
    if message.tries:
        times = "once" if message.tries == 1 else f"{message.tries} times"
        return f"Tried {times}, and goes on trying: {message.outcome}"
    if message.outcome:
        return f"Held: {message.outcome}"
    return "Waits for its time" if message.send_after > now() else "Waiting to go"


def _nth(number: int) -> str:
    return {2: "second", 3: "third"}.get(number, f"{number}th")
