"""Which school a name means, measured on a real list with the misspellings that people type."""

import csv
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from booking.directory.matching import match_school


@dataclass(frozen=True)
class Known:
    name: str


FILE = Path(__file__).parents[1] / "data" / "dspl2-schools.csv"
with FILE.open(encoding="utf-8") as _file:
    SCHOOLS = [Known(row["EstablishmentName"]) for row in csv.DictReader(_file)]
NAMES = {school.name for school in SCHOOLS}
# What was typed, and how the school's name begins; without one it has to stay in doubt.
TYPED = {
    "Almond Hill": "Almond Hill",
    "almond hill juniors": "Almond Hill",
    "All Saints Datchworth": "",
    "All Saints CofE (VA) Primary School": "All Saints",
    "Ashtree": "Ashtree",
    "Ashtree Primary & Nursery": "Ashtree",
    "Aston St Mary's CE": "Aston St Mary",
    "Barclay": "Barclay",
    "Barnwell school": "Barnwell",
    "Bedwell Primary": "Bedwell",
    "Bedwel Primary": "Bedwell",
    "Benington C of E": "Benington",
    "Broom Barns": "Broom Barns",
    "Broom Barnes Primary": "Broom Barns",
    "Camps Hill JMI": "Camps Hill",
    "Fairlands": "Fairlands",
    "Featherstone Wood Prim": "Featherstone Wood",
    "Giles Junior": "Giles Junior",
    "Giles Infants": "The Giles Infant",
    "Giles": "",
    "Graveley": "Graveley",
    "Greenside": "Greenside",
    "Knebworth": "Knebworth",
    "Larwood": "Larwood",
    "Letchmore Infant's": "Letchmore",
    "Lodge Farm": "Lodge Farm",
    "Longmeadow": "Longmeadow",
    "Lonsdale": "Lonsdale",
    "Marriots School": "Marriotts",
    "Martins Wood": "Martins Wood",
    "Moss Bury Nursery": "Moss Bury",
    "Peartree": "",
    "Peartree Spring": "Peartree Spring",
    "Peartree Way": "Peartree Way",
    "Roebuck": "Roebuck",
    "Round Diamond": "Round Diamond",
    "Round Dimond Primary School": "Round Diamond",
    "St Vincent de Paul RC Primary": "Saint Vincent",
    "Shephalbury Park": "Shephalbury",
    "St Margaret Clitherow Catholic Primary": "St Margaret",
    "St. Nicholas": "St Nicholas",
    "Stevenage ESC": "Stevenage Education",
    "John Henry Newman": "The John Henry",
    "The Leys": "The Leys",
    "Nobel": "The Nobel",
    "Thomas Alleyne": "The Thomas Alleyne",
    "Thomas Alleynes": "The Thomas Alleyne",
    "The Valley": "The Valley",
    # Slips of the finger, in what is a school's own and in what many have.
    "Mrrtins Wood": "Martins Wood",
    "Giles Junitr School": "Giles Junior",
    "Giles nIfant": "The Giles Infant",
    "Larwnod": "Larwood",
    "Ashrtee": "Ashtree",
    "Benington hCurch of England Primary School": "Benington",
    "St Margret Clithrow": "St Margaret",
    # Too little, or another school.
    "Lys": "",
    "Stevenage": "",
    "Lodge Hill Primary": "",
    "St Mary's": "",
    "Greenfield": "",
    "Fairfields Primary": "",
    "Barnwell Nursery": "",
    "Hogwarts": "",
    "": "",
}


@pytest.mark.parametrize("school", SCHOOLS, ids=lambda school: school.name)
def test_a_name_as_it_is_written_is_sure(school: Known) -> None:
    for text in (school.name, school.name.upper(), f"  {school.name.replace(' ', '  ')} "):
        found = match_school(text, SCHOOLS)
        assert (found.school, found.sure) == (school, True)


@pytest.mark.parametrize(("text", "begins"), TYPED.items(), ids=lambda value: value or "nothing")
def test_a_name_as_people_type_it_is_found_or_left_in_doubt_and_never_another_school(text: str, begins: str) -> None:
    found = match_school(text, SCHOOLS)
    if not begins:
        assert found.school is None
    else:
        assert any(name.startswith(begins) for name in NAMES)
        assert found.school is not None
        assert found.school.name.startswith(begins)


def test_what_may_be_several_names_them() -> None:
    assert {one.name for one in match_school("Peartree", SCHOOLS).candidates} >= {
        "Peartree Spring Primary School",
        "Peartree Way Nursery School",
    }
    assert match_school("Hogwarts", SCHOOLS).candidates == ()


def slips(name: str) -> Iterator[str]:
    """Every way to leave a letter out, to type it twice, or to type two the wrong way round; the first one is right."""
    for at in range(1, len(name)):
        yield name[:at] + name[at + 1 :]
        yield name[:at] + name[at] + name[at:]
        yield name[:at] + name[at + 1 : at + 2] + name[at] + name[at + 2 :]


def test_one_slip_in_a_name_never_leads_to_another_school_and_nearly_always_to_the_right_one() -> None:
    found = Counter[str]()
    for school in SCHOOLS:
        for text in slips(school.name.partition("(")[0].strip()):
            match = match_school(text, SCHOOLS)
            found["right" if match.school is school else "doubt" if match.school is None else f"{text}: wrong"] += 1
    assert found.keys() <= {"right", "doubt"}
    assert found["right"] / found.total() > 0.9  # the rest are left in doubt
