"""Rows with a natural key are added once, however many ask for them at the same moment.

"Is it there? No: add it" is two steps, and another transaction may add it in between. On SQLite actions run one after
the other; on PostgreSQL they take turns, hold the same row, or leave it to the database (ON CONFLICT).
"""

from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from datetime import date
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.calendar import catalogue
from booking.calendar.actions import find_or_create_series, find_or_create_venue
from booking.calendar.catalogue import KindValues
from booking.calendar.models import Category, Event, Kind, Visibility
from booking.core import heartbeat
from booking.core.db import atomic, db
from booking.core.errors import Refused
from booking.deadlines import actions as deadlines
from booking.deadlines.actions import AskValues
from booking.deadlines.models import Answer, Return
from booking.deadlines.policy import Said
from booking.digests import actions as digests
from booking.digests.actions import Chosen
from booking.directory import actions as directory
from booking.directory import contacts
from booking.directory.contacts import ContactValues
from booking.directory.models import Area, ContactRole, Person, Phase, RoleName, School
from booking.directory.register import RegisterRow
from booking.exchange import apply as calendar_import
from booking.exchange import contacts as contacts_import
from booking.exchange.reading import read_file
from booking.exchange.reading.contacts import read_contacts
from booking.reminders import actions as reminders
from tests.databases import empty
from tests.factories import make_area, make_category, make_event, make_organiser, make_school

TURNS, EVENT, RANDOM = "take_turns()", "lock(event)", "a random key"
ROUNDS = 6

# What lets a row of each key be added once. A new key has to be named here, and what adds its rows belongs into ACTS.
KEPT_BY = {
    "addresses_put_aside: email": TURNS,
    "areas: slug": "only a migration adds one",
    "ask_groups: event_id, group_id": EVENT,
    "ask_phases: event_id, phase": EVENT,
    "asks: event_id": EVENT,
    "audiences: area_id, slug": TURNS,
    "bookings: event_id, form_key": EVENT,
    "bookings: key": RANDOM,
    "bookings: reference": RANDOM,
    "categories: area_id, slug": TURNS,
    "category_subscriptions: category_id, person_id": TURNS,
    "category_subscriptions: key": RANDOM,
    "chases: message_id": "the number of a row made with it",
    "digest_audiences: audience_id, subscription_id": TURNS,
    "digest_categories: category_id, subscription_id": TURNS,
    "digest_copies: email, issue_id": TURNS,
    "digest_issues: area_id, week": TURNS,
    "digest_plans: area_id": TURNS,
    "digest_subscriptions: area_id, email": TURNS,
    "digest_subscriptions: confirm_key": RANDOM,
    "digest_subscriptions: key": RANDOM,
    "event_audiences: audience_id, event_id": EVENT,
    "event_hosts: email, event_id": EVENT,
    "events: area_id, import_key": TURNS,
    "events: uid": RANDOM,
    "heartbeats: name": TURNS,
    "invitation_counts: email, event_id": "ON CONFLICT",
    "invitation_letters: invitation_id, round_id": EVENT,
    "invitation_letters: message_id": "the number of a row made with it",
    "invitation_rounds: event_id, form_key": EVENT,
    "invitations: contact_id, invited_id": EVENT,
    "invitations: key": RANDOM,
    "invited_roles: invited_id, role": EVENT,
    "invited_schools: event_id, school_id": EVENT,
    "messages: message_id": RANDOM,
    "people: email": TURNS,
    "people: feed_key": RANDOM,
    "places: attendee_key, event_id": EVENT,
    "places: event_id, position": EVENT,
    "places: key": RANDOM,
    "reminder_runs: day, event_id, extra, rule_id": EVENT,
    "reminders: day, event_id, extra, recipient, rule_id": EVENT,
    "returns: event_id, school_id": EVENT,
    "returns: key": RANDOM,
    "roles: area_id, person_id, role": TURNS,
    "roles: person_id": TURNS,
    "school_contacts: email, role, school_id, starts_on": TURNS,
    "school_counts: event_id, school_id": EVENT,
    "school_group_members: group_id, school_id": TURNS,
    "school_groups: area_id, name": TURNS,
    "schools: area_id, name_key": TURNS,
    "schools: feed_key": RANDOM,
    "schools: urn": TURNS,
    "series: area_id, name": TURNS,
    "sign_ins: link_hash": RANDOM,
    "silences: category_id, school_id, year": TURNS,
    "terms: area_id, number, year": TURNS,
    "venues: area_id, name": TURNS,
}


def area() -> Area:
    return db.session.scalars(sa.select(Area)).one()


def organiser() -> Person:
    return db.session.scalars(sa.select(Person).where(Person.email == "tom@vale-marsh.example")).one()


def not_this_year(number: int) -> None:
    rows = db.session.scalars(sa.select(Return).order_by(Return.id)).all()
    deadlines.answer(rows[number % 2], Said.NOT_THIS_YEAR, who="Priya Nair")


def take_in_dates(number: int) -> None:
    text = f"Date,Title,Category,Audience\n2026-12-0{number + 1},Forum {number},Choir,Singers\n"
    calendar_import.apply(area(), read_file("a.csv", text.encode()), publish=False)


def take_in_contacts(number: int) -> None:
    lines = ["Oakhurst Primary School,Priya,SENCo,p@oak.example", "Ashdown School,Ravi,SENCo,r@ash.example"]
    text = "\n".join(["School,Name,Role,E-mail", *lines[:: -1 if number % 2 else 1]])
    contacts_import.apply(area(), read_contacts("a.csv", text.encode()), by=None)


def save_kind(number: int) -> None:
    if number % 2:
        take_in_dates(number)
        return
    values = KindValues(name="Choir", letters="CH", colour=1, visibility=Visibility.PUBLIC)
    catalogue.save_category(area(), None, values, by=organiser())


def save_audience(number: int) -> None:
    if number % 2:
        take_in_dates(number)
        return
    catalogue.save_audience(area(), None, name="Singers", is_families=False, by=organiser())


def take_in_schools(number: int) -> None:
    names = ["Elm School", "Yew School"][:: -1 if number % 2 else 1]
    directory.import_schools(area(), [RegisterRow(name, Phase.PRIMARY, None, "", None) for name in names])


def add_contact(_number: int) -> None:
    values = ContactValues(
        role=ContactRole.SENCO, name="Priya", email="p@oak.example", starts_on=date(2026, 9, 1), ends_on=None
    )
    contacts.save_contact(db.session.scalars(sa.select(School)).first(), None, values, by=None)


def grant(_number: int) -> None:
    directory.grant("ada@school.example", RoleName.ADMINISTRATOR, area=None, by=None)


def set_ask(_number: int) -> None:
    event = db.session.scalars(sa.select(Event).where(Event.title == "Panel papers")).one()
    deadlines.set_ask(event, AskValues(Answer.OPTIONAL), by=organiser(), groups=())


def subscribe(number: int) -> None:
    if number % 2:
        digests.set_own(area(), organiser(), Chosen())
    else:
        digests.ask(area(), organiser().email, Chosen())


def subscribe_to_kinds(_number: int) -> None:
    reminders.subscribe(organiser(), list(db.session.scalars(sa.select(Category))))


def save_group(_number: int) -> None:
    schools = db.session.scalars(sa.select(School)).all()
    contacts.save_group(area(), None, name="Cluster one", schools=schools, by=organiser())


def beat(_number: int) -> None:
    heartbeat.beat("a job")


ACTS: list[Callable[[int], object]] = [
    not_this_year,
    take_in_dates,
    take_in_contacts,
    save_kind,
    save_audience,
    take_in_schools,
    add_contact,
    grant,
    set_ask,
    subscribe,
    subscribe_to_kinds,
    save_group,
    beat,
    atomic(lambda _number: find_or_create_venue(area().id, "Oak Suite")),
    atomic(lambda _number: find_or_create_series(area().id, "Forums")),
]


@pytest.mark.both_databases
@pytest.mark.parametrize("act", ACTS, ids=[getattr(act, "__name__", "act") for act in ACTS])
def test_what_four_do_at_once_is_done_once(app: Flask, act: Callable[[int], object]) -> None:
    """Nobody sees an error of the database; who is refused is told why."""
    for number in range(ROUNDS):
        with app.app_context():
            empty(app)
            fill()
        assert [one for one in at_once(app, act) if one is not None] == [], f"round {number}"


def fill() -> None:
    make_area()
    make_organiser()
    category = make_category("Panel")
    schools = [make_school("Oakhurst Primary School"), make_school("Ashdown School")]
    for title in ("Panel papers", "Later papers"):
        event = make_event(title, kind=Kind.DEADLINE, category=category)
        deadlines.set_ask(event, AskValues(Answer.OPTIONAL), by=organiser(), groups=())
    db.session.execute(sa.delete(Return).where(Return.school_id != schools[0].id))
    db.session.commit()


def at_once(app: Flask, act: Callable[[int], object]) -> list[Exception | None]:
    """Do it in four threads at the same moment; return what went wrong in each."""
    barrier = Barrier(4)

    def run(number: int) -> Exception | None:
        with app.app_context():
            db.session.connection()
            db.session.rollback()
            barrier.wait(timeout=30)
            try:
                act(number)
            except Refused:
                return None
            except Exception as wrong:
                return wrong
        return None

    with ThreadPoolExecutor(4) as pool:
        return list(pool.map(run, range(4)))


def test_every_natural_key_is_named() -> None:
    found = set()
    for table in db.metadata.sorted_tables:
        unique = [set(one.columns.keys()) for one in table.constraints if isinstance(one, sa.UniqueConstraint)]
        unique += [set(one.columns.keys()) for one in table.indexes if one.unique]
        unique += [set(table.primary_key.columns.keys())]
        found |= {f"{table.name}: {', '.join(sorted(one))}" for one in unique if one != {"id"}}
    assert found == set(KEPT_BY)
