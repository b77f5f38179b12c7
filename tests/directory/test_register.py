"""The national register of schools: read as values, then put into the directory."""

from datetime import date, timedelta
from pathlib import Path

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.core.clock import today
from booking.core.db import db
from booking.core.errors import Refused
from booking.core.text import name_key
from booking.directory import actions, queries
from booking.directory.actions import Imported
from booking.directory.models import Phase, School
from booking.directory.register import RegisterRow, read_register
from tests.factories import make_area, make_school

SCHOOLS = Path(__file__).parents[1] / "data" / "dspl2-schools.csv"
HEADER = "URN,EstablishmentName,PhaseOfEducation (name),TypeOfEstablishment (name),CloseDate,Postcode"


def read(*rows: str, header: str = HEADER) -> list[RegisterRow]:
    return read_register("\n".join([header, *rows]).encode())


def test_a_row_is_a_school() -> None:
    assert read(
        "117101,Oakhurst Primary School,Primary,Community school,,MA1 2TT",
        '117102,"St Brannoc’s, Marsham",Middle deemed secondary,Academy converter,31-08-2024,',
        ",Little Acorns,Nursery,,,",
        "117104,Heron’s Reach,Not applicable,Community special school,,",
        "117105,The Bridge,Not applicable,Pupil referral unit,31/12/2025,",
        "117106,The Studio,16 plus,Academy 16-19,2025-12-31,",
        "117107,Both Ends,All-through,Free schools,,",
        "117108,Something,,,,",
        ",,,,,",
    ) == [
        RegisterRow("Oakhurst Primary School", Phase.PRIMARY, "117101", "MA1 2TT", None),
        RegisterRow("St Brannoc’s, Marsham", Phase.SECONDARY, "117102", "", date(2024, 8, 31)),
        RegisterRow("Little Acorns", Phase.NURSERY, None, "", None),
        RegisterRow("Heron’s Reach", Phase.SPECIAL, "117104", "", None),
        RegisterRow("The Bridge", Phase.ALTERNATIVE, "117105", "", date(2025, 12, 31)),
        RegisterRow("The Studio", Phase.SIXTEEN_PLUS, "117106", "", date(2025, 12, 31)),
        RegisterRow("Both Ends", Phase.ALL_THROUGH, "117107", "", None),
        RegisterRow("Something", Phase.OTHER, "117108", "", None),
    ]


@pytest.mark.parametrize(
    "data",
    [
        "EstablishmentName\nSt Brannoc’s\n".encode(),
        "\ufeffEstablishmentName\r\nSt Brannoc’s\r\n".encode(),
        "EstablishmentName\rSt Brannoc’s\r".encode(),
        "EstablishmentName\nSt Brannoc’s\n".encode("cp1252"),
        "EstablishmentName,More\n  St   Brannoc’s ,x,y,z\n".encode(),
    ],
)
def test_the_way_a_file_was_saved_does_not_matter(data: bytes) -> None:
    assert [row.name for row in read_register(data)] == ["St Brannoc’s"]


@pytest.mark.parametrize(
    ("rows", "sentence"),
    [
        ([], "There is no school in this file."),
        (["117101,,Primary,,,"], "Row 2: the school has no name. Fill in “EstablishmentName”."),
        ([",A,,,,", "x17,B,,,,"], "Row 3: “x17” is not a URN. It is a number of six digits."),
        ([",A,,,soon,"], "Row 2: “soon” is not a date. Write it like 31-08-2024."),
        ([",A,,,31-02-2024,"], "Row 2: “31-02-2024” is not a date. Write it like 31-08-2024."),
        ([",St Mary’s,,,,", ",ST MARY'S,,,,"], "Row 3: ST MARY'S stands in row 2 already. Take one of them out."),
        (["117101,A,,,,", "117101,B,,,,"], "Row 3: the URN 117101 stands in row 2 already. Take one of them out."),
        (["," + "A" * 201 + ",,,,"], "Row 2: the name has more than 200 letters."),
        (['"' + "A" * 200_000 + '",A,,,,'], "This is not a CSV file. Save the list of schools as CSV and try again."),
        ([",A\0B,,,,"], "This is not a CSV file. Save the list of schools as CSV and try again."),
    ],
)
def test_what_cannot_be_read_is_refused_with_the_row_and_the_reason(rows: list[str], sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        read(*rows)
    assert refused.value.sentence == sentence


@pytest.mark.parametrize("data", [b"", b"Name,Phase\nOakhurst,Primary\n", b"PK\x03\x04nothing of a table"])
def test_a_file_without_the_registers_columns_is_refused(data: bytes) -> None:
    with pytest.raises(Refused) as refused:
        read_register(data)
    assert refused.value.sentence == (
        "Row 1: there is no column “EstablishmentName”. Keep the national register’s column names."
    )


@pytest.mark.both_databases
def test_the_real_directory_goes_in_once(in_app: Flask) -> None:
    area = make_area()
    rows = read_register(SCHOOLS.read_bytes())
    assert actions.import_schools(area, rows) == Imported(added=43, changed=0, unchanged=0)
    assert actions.import_schools(area, rows) == Imported(added=0, changed=0, unchanged=43)
    assert db.session.query(School).count() == 43


def test_a_school_is_found_again_by_its_number_or_its_name(in_app: Flask) -> None:
    area = make_area()
    by_number = make_school("Oakhurst Infants", urn="117101")
    by_name = make_school("St Mary’s School", postcode="MA1 2TT")
    rows = read(
        "117101,Oakhurst Primary School,Primary,,,MA2 3RR",
        "117102,ST MARY'S SCHOOL,Secondary,,31-08-2024,",
        ",Brand New,Nursery,,,",
    )
    assert actions.import_schools(area, rows) == Imported(added=1, changed=2, unchanged=0)
    found = {
        school.id: (school.name, school.urn, str(school.phase), school.postcode, school.closed_on)
        for school in queries.all_schools(area)
    }
    assert found[by_number.id] == ("Oakhurst Primary School", "117101", "primary", "MA2 3RR", None)
    assert found[by_name.id] == ("ST MARY'S SCHOOL", "117102", "secondary", "MA1 2TT", date(2024, 8, 31))
    assert len(found) == 3
    keys = db.session.scalars(sa.select(School.name_key).order_by(School.name))
    assert list(keys) == [name_key(name) for name in ("Brand New", "Oakhurst Primary School", "ST MARY'S SCHOOL")]


def test_only_open_schools_can_be_chosen(in_app: Flask) -> None:
    area = make_area()
    for name, closed_on in (
        ("Open", None),
        ("Closes tomorrow", today() + timedelta(days=1)),
        ("Closed today", today()),
    ):
        make_school(name, closed_on=closed_on)
    assert [school.name for school in queries.schools_to_choose(area)] == ["Closes tomorrow", "Open"]
    assert len(queries.all_schools(area)) == 3
