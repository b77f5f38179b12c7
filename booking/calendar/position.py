"""Where a venue stands on the map, as people copy it from one."""

import re
from urllib.parse import unquote

from booking.core.errors import Refused

# Decimal degrees north and east (WGS 84).
Position = tuple[float, float]
# What map sites show and put into their addresses: “51.752, -0.336”, “@51.752,-0.336,17z”, “mlat=51.752&mlon=-0.336”.
_NUMBER = r"([-−]?\d{1,3}\.\d+)"
_PAIR = re.compile(rf"(?<![\d.]){_NUMBER}°?\s*N?(?:\s*[,;/~+]\s*|\s+|&[a-z]+=){_NUMBER}(?:°?\s*([EW])\b)?")
# The pin in an address whose other pair is the middle of what is shown.
_PIN = re.compile(rf"!3d{_NUMBER}!4d{_NUMBER}()")
# Great Britain, Northern Ireland and the isles around them.
_NORTH, _EAST = (49.0, 61.0), (-9.0, 2.5)
DIGITS = 6  # a tenth of a metre


def read_position(text: str) -> Position | None:
    """Return the position in a pair of decimal degrees, or in the address of a map; None where nothing was typed.

    Raises Refused, with a sentence, for what cannot be read or lies elsewhere.
    """
    if not text.strip():
        return None
    text = unquote(text)
    found = _PIN.search(text) or _PAIR.search(text)
    if found is None:
        raise Refused("Write two numbers, like 51.7520, -0.3360, or paste the address of the place on a map")
    north, east = (round(float(number.replace("−", "-")), DIGITS) for number in found.groups()[:2])
    if found[3] == "W":
        east = -abs(east)
    if not (_NORTH[0] <= north <= _NORTH[1] and _EAST[0] <= east <= _EAST[1]):
        raise Refused("This is not in Britain. Write how far north first: 51.7520, -0.3360")
    return north, east


def say_degrees(number: float) -> str:
    """Return decimal degrees in digits: without the exponent that a place at Greenwich would get."""
    whole, _, rest = f"{number:.{DIGITS}f}".partition(".")
    return f"{whole}.{rest.rstrip('0') or '0'}"


def say_position(position: Position | None) -> str:
    """Return a position as it is typed; nothing for none."""
    return ", ".join(map(say_degrees, position)) if position else ""


def map_address(position: Position) -> str:
    """Return the address of a map that shows the place."""
    north, east = map(say_degrees, position)
    return f"https://www.openstreetmap.org/?mlat={north}&mlon={east}#map=17/{north}/{east}"
