"""A list of contacts: what its rows say, and what they make of the directory."""

import io
from collections.abc import Iterator
from datetime import UTC, date, datetime

import pytest
import time_machine
import xlsxwriter
from flask import Flask

from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory import contacts as directory
from booking.directory.models import Person, SchoolContact
from booking.exchange import contacts
from booking.exchange.contacts import Change, Choice, apply, plan
from booking.exchange.reading import Unreadable
from booking.exchange.reading.contacts import as_csv, read_contacts
from tests.factories import make_contact, make_organiser, make_school, the_area

TODAY = date(2027, 3, 1)
HEAD = "School,URN,Name,Role,E-mail,From,To\n"
ROW = "Oakhurst Primary,,Priya Nair,SENCo,Priya@oak.example,,"


@pytest.fixture(autouse=True)
def _today() -> Iterator[None]:
    with time_machine.travel(datetime(2027, 3, 1, 10, 0, tzinfo=UTC), tick=False):
        yield


@pytest.fixture
def tom(in_app: Flask) -> Person:
    for name, urn in (("Oakhurst Primary School", "123456"), ("Millbrook High School", None)):
        make_school(name, urn=urn)
    make_school("Millbrook Junior School")
    return make_organiser()


def rows(*lines: str):
    return read_contacts("contacts.csv", (HEAD + "\n".join(lines)).encode())


def take_in(tom: Person, *lines: str, choices=None) -> dict[Change, int]:
    return dict(apply(the_area(), rows(*lines), choices, by=tom))


def there() -> list[tuple[str, str, str, date, date | None]]:
    db.session.rollback()
    found = db.session.query(SchoolContact).order_by(SchoolContact.id).populate_existing()
    return [(one.name, one.role.value, one.email, one.starts_on, one.ends_on) for one in found]


@pytest.mark.parametrize(
    ("said", "role"),
    [
        ("SENDCo", "senco"),
        ("Inclusion lead", "senco"),
        ("Head Teacher", "headteacher"),
        ("Head", "headteacher"),
        ("Senior Mental Health Lead", "mental health"),
        ("attendance officer", "attendance"),
        ("School Office", "office"),
        ("caretaker", None),
    ],
)
def test_roles_are_understood_as_people_write_them(said: str, role: str | None) -> None:
    (row,) = rows(f"Oakhurst,,Priya,{said},p@x.example,,")
    assert (row.role, bool(row.wrong)) == (role, role is None)


def test_a_spreadsheet_reads_like_its_csv_and_back() -> None:
    to = io.BytesIO()
    book = xlsxwriter.Workbook(to)
    sheet = book.add_worksheet("Contacts")
    sheet.write_row(1, 0, ["Setting", "Contact", "Position", "Email address", "Start date", "Until"])
    sheet.write_row(3, 0, ["123456", "Priya  Nair", "SENCo", "priya@oak.example"])
    sheet.write_datetime(3, 4, datetime(2026, 9, 1), book.add_format({"num_format": "dd/mm/yy"}))
    sheet.write(3, 5, "left")
    book.close()
    (row,) = read_contacts("contacts.xlsx", to.getvalue())
    assert (row.number, row.urn, row.name, row.role, row.starts_on, row.has_left, row.wrong) == (
        4,
        "123456",
        "Priya Nair",
        "senco",
        date(2026, 9, 1),
        True,
        (),
    )
    (again,) = read_contacts("x.csv", as_csv([row]).encode())
    assert (again.number, again.starts_on, again.has_left, again.urn) == (4, date(2026, 9, 1), True, "123456")


@pytest.mark.parametrize(
    ("data", "sentence"),
    [
        (b"", "The file is empty"),
        (b"Name,Date\nA,B\n", "There is no row with the names of the columns"),
        (HEAD.encode(), "There is no contact in this file"),
        ((HEAD + f"{ROW}\n" * 1001).encode(), "more than 1,000 rows"),
    ],
)
def test_a_file_that_is_none_is_refused_whole(data: bytes, sentence: str) -> None:
    with pytest.raises(Unreadable, match=sentence):
        read_contacts("contacts.csv", data)


@pytest.mark.parametrize(
    ("line", "says"),
    [
        (",,Priya,SENCo,p@x.example,,", "there is no school. Write its name or its URN"),
        ("Oakhurst Primary,,,SENCo,p@x.example,,", "there is no name. Fill it in"),
        (
            "Oakhurst Primary,,Priya,,p@x.example,,",
            "there is no role. Write SENCo, Headteacher, Mental health lead, Attendance lead or Office",
        ),
        (
            "Oakhurst Primary,,Priya,SENCo,priya,,",
            "“priya” cannot be an e-mail address. Write one like name@school.example",
        ),
        ("Oakhurst Primary,,Priya,SENCo,,,", "there is no e-mail address. Write one like name@school.example"),
        (
            "Oakhurst Primary,,www.example.org,SENCo,p@x.example,,",
            "“www.example.org” is no name. Write the name of one person",
        ),
        (
            "Oakhurst Primary,,Priya,SENCo,p@x.example,soon,",
            "“soon” under From is not a day. Write it like 31/08/2026",
        ),
        (
            "Oakhurst Primary,,Priya,SENCo,p@x.example,1/9/2027,1/9/2026",
            "the last day is before the first. Change one of them",
        ),
    ],
)
def test_a_row_that_cannot_be_says_how_to_mend_it_and_nothing_is_taken_in(tom: Person, line: str, says: str) -> None:
    lines = plan(the_area(), rows(ROW, line))
    assert [(one.change, one.says) for one in lines[1:]] == [(Change.WRONG, says)]
    with pytest.raises(Refused, match="Row 3: "):
        take_in(tom, ROW, line)
    assert there() == []


def test_the_same_twice_in_a_file_is_named(tom: Person) -> None:
    found = plan(the_area(), rows(ROW, ROW.replace("Oakhurst Primary,", "Oakhurst Primary School,123456")))
    assert [(one.change, one.says) for one in found][1] == (
        Change.WRONG,
        "row 2 says so already. Take one of them out",
    )


def test_schools_are_found_by_name_or_urn_and_a_doubt_is_settled_by_choosing(tom: Person) -> None:
    lines = ("123456,,A,SENCo,a@x.example,,", "Millbrook,,B,SENCo,b@x.example,,", "Nowhere,,C,SENCo,c@x.example,,")
    found = plan(the_area(), rows(*lines))
    assert [one.change for one in found] == [Change.ADD, Change.DOUBT, Change.DOUBT]
    assert [school.name for school in found[1].match.candidates] == ["Millbrook High School", "Millbrook Junior School"]
    with pytest.raises(Refused, match="Row 3: it is not clear which school is meant"):
        take_in(tom, *lines)
    high = found[1].match.candidates[0].id
    done = take_in(tom, *lines, choices={3: Choice(high), 4: Choice(left_out=True)})
    assert done == {Change.ADD: 2, Change.OUT: 1}
    assert [name for name, *_ in there()] == ["A", "B"]


@pytest.mark.both_databases
def test_taken_in_twice_it_changes_nothing_the_second_time(tom: Person) -> None:
    lines = (
        ROW,
        "Oakhurst Primary,,Ravi,Head,r@oak.example,1/9/2025,31/8/2027",
        "Millbrook High,,Old,Office,o@m.example,1/9/2020,left",
    )
    assert take_in(tom, *lines) == {Change.ADD: 2, Change.SAME: 1}
    first = [
        ("Priya Nair", "senco", "priya@oak.example", TODAY, None),
        ("Ravi", "headteacher", "r@oak.example", date(2025, 9, 1), date(2027, 8, 31)),
    ]
    assert there() == first
    logged = db.session.query(AuditEntry).count()
    with time_machine.travel(datetime(2027, 3, 9, 10, 0, tzinfo=UTC)):
        assert take_in(tom, *lines) == {Change.SAME: 3}
    assert (there(), db.session.query(AuditEntry).count()) == (first, logged)


def test_names_and_days_are_put_right_and_who_left_ends(tom: Person) -> None:
    school = plan(the_area(), rows(ROW))[0].school
    make_contact(school, "priya@oak.example", name="P. Nair", starts_on=date(2026, 9, 1))
    assert take_in(tom, ROW) == {Change.CHANGE: 1}
    assert there() == [("Priya Nair", "senco", "priya@oak.example", date(2026, 9, 1), None)]
    assert take_in(tom, f"{ROW}left") == {Change.END: 1}
    assert there()[0][4] == date(2027, 2, 28)
    assert take_in(tom, f"{ROW}left") == {Change.SAME: 1}


def test_who_has_left_is_not_brought_back_by_an_old_list(tom: Person) -> None:
    old = "Oakhurst Primary,,Priya Nair,SENCo,priya@oak.example,1/9/2026,"
    take_in(tom, old)
    directory.end_contact(db.session.query(SchoolContact).one(), by=tom)
    for again in (ROW, old):
        (line,) = plan(the_area(), rows(again))
        assert (line.change, line.says) == (
            Change.SAME,
            "left on Sunday 28 February 2027: to begin again, write a later day under From",
        )
    assert take_in(tom, "Oakhurst Primary,,Priya Nair,SENCo,priya@oak.example,1/3/2027,") == {Change.ADD: 1}
    assert len(there()) == 2


def test_a_last_day_before_they_began_is_named(tom: Person) -> None:
    school = plan(the_area(), rows(ROW))[0].school
    make_contact(school, "priya@oak.example", starts_on=date(2027, 2, 1))
    (line,) = plan(the_area(), rows(f"{ROW}1/1/2027"))
    assert (line.change, line.says) == (
        Change.WRONG,
        "they began on Monday 1 February 2027. Write a later day under To",
    )
    assert contacts.unready([line]) == [line]
