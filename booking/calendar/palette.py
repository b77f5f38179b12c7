"""The colours of kinds of events: as pages paint them (`app.css`), and the nearest name that calendars know."""

from typing import NamedTuple


class Colour(NamedTuple):
    """A name of CSS (RFC 7986, 5.9 takes no other), and the colour itself."""

    name: str
    hexadecimal: str


PALETTE = {
    1: Colour("darkblue", "#013a8e"),
    2: Colour("seagreen", "#338140"),
    3: Colour("gold", "#f0c93e"),
    4: Colour("saddlebrown", "#48362e"),
    5: Colour("mediumvioletred", "#b02762"),
    6: Colour("olive", "#7d7400"),
    7: Colour("lightskyblue", "#73b3fe"),
    8: Colour("palegreen", "#b7ff9d"),
    9: Colour("maroon", "#7a0f00"),
    10: Colour("lightcoral", "#fa9297"),
    11: Colour("lavender", "#f3eeff"),
    12: Colour("slateblue", "#6d6e9c"),
}
