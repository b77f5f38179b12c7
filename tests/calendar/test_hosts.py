"""Hosts and facilitators: how organisers type them, and what becomes of them in the database."""

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from booking.calendar import actions
from booking.calendar.hosts_form import read_hosts, say_hosts
from booking.calendar.models import Event, EventStatus, Host
from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory.models import Area
from tests.factories import make_event, make_organiser, values_of

WHEN = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
AMINA, TOM, LEE = (
    ("Amina Yusuf", "amina@school.example"),
    ("Tom Okafor", "tom@hall.example"),
    ("", "lee@school.example"),
)
LINES = {
    "Amina Yusuf <amina@school.example>": AMINA,
    "  Amina   Yusuf<AMINA@School.Example> ;": AMINA,
    "Amina Yusuf, amina@school.example": AMINA,
    "Amina Yusuf; amina@school.example,": AMINA,
    "Amina Yusuf\tamina@school.example": AMINA,
    "Amina Yusuf mailto:amina@school.example": AMINA,
    '"Amina Yusuf" <amina@school.example>': AMINA,
    "Yusuf, Amina <amina@school.example>": ("Yusuf, Amina", "amina@school.example"),
    "Yusuf, Amina, amina@school.example": ("Yusuf, Amina", "amina@school.example"),
    "lee@school.example": LEE,
    "<lee@school.example>": LEE,
    "Zoë O’Brien <zoe@bücher.example>": ("Zoë O’Brien", "zoe@xn--bcher-kva.example"),
    "王小明 <wang@school.example>": ("王小明", "wang@school.example"),
}
NO_ADDRESS = "there is no e-mail address at its end. Write it like Amina Yusuf <amina@school.example>."
WRONG = {
    "Amina Yusuf": f"Line 1: {NO_ADDRESS}",
    "Amina Yusuf <>": f"Line 1: {NO_ADDRESS}",
    "lee@school.example\n\namina@school": (
        "Line 3: “amina@school” is not an e-mail address. Write it like name@school.example."
    ),
    "Amina <amina@school.example": (
        "Line 1: “<amina@school.example” is not an e-mail address. Write it like name@school.example."
    ),
    "lee@school.example, amina@school.example": "Line 1: write one address in each line.",
    "lee@school.example\nLee <LEE@school.example>": "Line 2: lee@school.example stands in line 1 already.",
    "www.win.example <lee@school.example>": (
        "Line 1: write a name with letters, and no web address, before the e-mail address."
    ),
    "--- <lee@school.example>": "Line 1: write a name with letters, and no web address, before the e-mail address.",
    f"{'a' * 121} <lee@school.example>": "Line 1: use at most 120 letters for the name.",
    "\n".join(f"lee{number}@school.example" for number in range(31)): (
        "At most 30 hosts and facilitators are possible."
    ),
}


@pytest.fixture
def at_ten(in_app: Flask) -> Iterator[None]:
    with time_machine.travel(WHEN, tick=False):
        yield


@pytest.mark.parametrize(("line", "host"), LINES.items(), ids=LINES)
def test_a_line_is_read_as_people_type_it(line: str, host: tuple[str, str]) -> None:
    assert read_hosts(line) == (host,)


def test_empty_lines_are_nobody() -> None:
    assert read_hosts("") == ()
    assert read_hosts(" \n\nlee@school.example\n \n") == (LEE,)


@pytest.mark.parametrize(("text", "sentence"), WRONG.items(), ids=range(len(WRONG)))
def test_what_cannot_be_is_refused_in_a_sentence_that_names_the_line(text: str, sentence: str) -> None:
    with pytest.raises(Refused) as refused:
        read_hosts(text)
    assert (refused.value.sentence, refused.value.field) == (sentence, "hosts")


def test_what_is_said_is_read_again_as_the_same() -> None:
    hosts = [Host(name=name, email=email) for name, email in (AMINA, LEE, ("Yusuf, Amina", "yusuf@school.example"))]
    assert say_hosts(hosts) == (
        "Amina Yusuf <amina@school.example>\nlee@school.example\nYusuf, Amina <yusuf@school.example>"
    )
    assert read_hosts(say_hosts(hosts)) == tuple((host.name, host.email) for host in hosts)


def edit(event: Event, *hosts: tuple[str, str]) -> dict[str, list[str]]:
    values = replace(values_of(event), hosts=hosts)
    return actions.edit_event(event, values, by=None, revision=event.revision)


def rows() -> list[tuple[str, str, datetime]]:
    found = db.session.scalars(sa.select(Host).order_by(Host.position))
    return [(host.name, host.email, host.since) for host in found]


@pytest.mark.both_databases
@pytest.mark.usefixtures("at_ten")
def test_who_stays_host_keeps_since_when() -> None:
    event = make_event()
    edit(event, AMINA, TOM)
    later = WHEN + timedelta(days=1)
    with time_machine.travel(later, tick=False):
        edit(event, LEE, ("Tom O.", "Tom@Hall.example"))
    assert rows() == [(*LEE, later), ("Tom O.", TOM[1], WHEN)]


@pytest.mark.both_databases
@pytest.mark.usefixtures("at_ten")
def test_a_change_of_hosts_is_written_down_and_no_calendar_is_told() -> None:
    event = make_event()
    before = (event.revision, event.sequence, event.changed_at)
    assert edit(event, AMINA, LEE) == {"hosts": ["", "Amina Yusuf <amina@school.example>, lee@school.example"]}
    assert (event.revision - 1, event.sequence, event.changed_at) == before
    assert db.session.query(AuditEntry).one().detail == {
        "changed": {"hosts": ["", "Amina Yusuf <amina@school.example>, lee@school.example"]}
    }
    assert edit(event, AMINA, LEE) == {}
    assert [*edit(event, LEE, AMINA)] == ["hosts"]


@pytest.mark.both_databases
@pytest.mark.usefixtures("at_ten")
def test_the_hosts_of_a_draft_go_with_it() -> None:
    event = make_event(status=EventStatus.DRAFT)
    edit(event, AMINA)
    actions.delete_draft(event, by=make_organiser())
    assert (rows(), db.session.query(Area).count()) == ([], 1)


@pytest.mark.both_databases
@pytest.mark.usefixtures("at_ten")
def test_a_new_event_has_its_hosts_at_once() -> None:
    values = replace(values_of(make_event()), hosts=(TOM, AMINA))
    event = actions.create_event(db.session.query(Area).one(), values, by=None)
    db.session.refresh(event)
    assert [(host.name, host.email) for host in event.hosts] == [TOM, AMINA]
