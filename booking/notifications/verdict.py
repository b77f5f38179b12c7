"""What is said of a message right before it is sent: it goes (None), not any more, or not yet."""

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Drop:
    """It does not go any more, for a reason that organisers read."""

    reason: str


@dataclass(frozen=True, slots=True)
class Hold:
    """It does not go yet, for a reason that organisers read: it is looked at again later."""

    reason: str


Verdict = Drop | Hold | None
