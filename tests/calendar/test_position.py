"""A place on the map, read from what people paste."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from booking.calendar.position import map_address, read_position, say_position
from booking.core.errors import Refused

HERE = (51.752, -0.336)


@pytest.mark.parametrize(
    "text",
    [
        "51.752, -0.336",
        " 51.7520,-0.3360 ",
        "51.752 -0.336",
        "51.752; −0.336",
        "https://www.openstreetmap.org/?mlat=51.752&mlon=-0.336#map=17/51.7/-0.3",
        "https://www.openstreetmap.org/#map=19/51.752000/-0.336000",
        "https://www.google.com/maps/place/Oak+Suite/@51.7520,-0.3360,17z/data=!3m1",
        "https://maps.apple.com/?ll=51.752,-0.336&q=Oak%20Suite",
        "geo:51.752,-0.336",
        "https://www.google.com/maps/place/Oak/@51.7530,-0.3401,17z/data=!4m6!3m5!8m2!3d51.752!4d-0.336!16s",
        "https://maps.example/?q=51.752%2C-0.336",
        "https://www.bing.com/maps?cp=51.752%7E-0.336&lvl=17",
        "https://maps.google.com/?q=loc:51.752+-0.336",
        "51.7520° N, 0.3360° W",
    ],
)
def test_what_map_sites_give_is_read(text: str) -> None:
    assert read_position(text) == HERE


@pytest.mark.parametrize("text", ["", "  \t"])
def test_nothing_is_no_position(text: str) -> None:
    assert read_position(text) is None


@pytest.mark.parametrize(
    "text", ["51.752", "fifty, one", "51, 0", "AL1 3JE", "https://maps.app.goo.gl/abc", "1.2.3.4", "51.752 north"]
)
def test_what_is_no_position_is_refused_with_an_example(text: str) -> None:
    with pytest.raises(Refused, match=r"like 51\.7520, -0\.3360"):
        read_position(text)


@pytest.mark.parametrize("text", ["-0.336, 51.752", "0.0, 0.0", "48.85, 2.35", "51.752, 100.5", "999.5, 0.5"])
def test_what_lies_elsewhere_is_refused_as_the_two_are_often_swapped(text: str) -> None:
    with pytest.raises(Refused, match="not in Britain"):
        read_position(text)


@given(st.floats(49.0, 61.0), st.floats(-9.0, 2.5))
def test_a_position_is_read_again_as_it_is_said(north: float, east: float) -> None:
    position = read_position(f"{north:.6f}, {east:.6f}")
    assert position is not None
    assert read_position(say_position(position)) == position
    assert read_position(map_address(position)) == position


def test_a_position_is_said_as_it_is_typed() -> None:
    assert (say_position(HERE), say_position(None)) == ("51.752, -0.336", "")
    assert say_position((51.0, 0.000012)) == "51.0, 0.000012"
    assert map_address(HERE) == "https://www.openstreetmap.org/?mlat=51.752&mlon=-0.336#map=17/51.752/-0.336"
