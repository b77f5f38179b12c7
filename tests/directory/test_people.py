"""People, what they may do, and their sessions."""

from concurrent.futures import ThreadPoolExecutor
from threading import Barrier

import pytest
import sqlalchemy as sa
from flask import Flask

from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory import actions, queries
from booking.directory.guards import ANYBODY, Visitor
from booking.directory.models import Area, Person, Role, RoleName
from tests.factories import make_area, make_organiser, make_person, make_school

ADMINISTRATOR, ORGANISER, FACILITATOR = RoleName.ADMINISTRATOR, RoleName.ORGANISER, RoleName.FACILITATOR


def roles(person: Person) -> list[tuple[str, int | None]]:
    db.session.expire_all()
    return sorted((str(role.role), role.area_id) for role in person.roles)


def log() -> list[tuple[str, str, int | None, str]]:
    rows = db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id))
    return [(row.actor_name, row.action, row.subject_id, str(row.detail["role"])) for row in rows]


@pytest.mark.both_databases
def test_a_role_is_given_once_and_the_person_is_made_where_needed(in_app: Flask) -> None:
    area = make_area()
    for _ in range(2):
        person = actions.grant(" New@School.example", ORGANISER, area=area, by=None)
    assert (person.email, person.name) == ("new@school.example", "")
    actions.grant("new@school.example", FACILITATOR, area=area, by=person)
    actions.grant("new@school.example", ADMINISTRATOR, area=area, by=person)
    assert roles(person) == [("administrator", None), ("facilitator", area.id), ("organiser", area.id)]
    assert log() == [
        ("the program", "granted a role", person.id, "organiser"),
        ("", "granted a role", person.id, "facilitator"),
        ("", "granted a role", person.id, "administrator"),
    ]


@pytest.mark.both_databases
def test_a_role_given_many_times_at_once_is_one(app: Flask) -> None:
    with app.app_context():
        area_id = make_area().id
    barrier = Barrier(6)

    def run(number: int) -> None:
        with app.app_context():
            area = db.session.get(Area, area_id)
            barrier.wait(timeout=30)
            actions.grant("new@school.example", ADMINISTRATOR if number % 2 else ORGANISER, area=area, by=None)

    with ThreadPoolExecutor(6) as pool:
        list(pool.map(run, range(6)))
    with app.app_context():
        assert roles(db.session.query(Person).one()) == [("administrator", None), ("organiser", area_id)]


def test_a_role_is_taken_back(in_app: Flask) -> None:
    tom, boss = make_organiser(), make_organiser("boss@vale-marsh.example", ADMINISTRATOR)
    actions.revoke(tom.roles[0], by=boss)
    assert roles(tom) == []
    assert log() == [("Tom Okafor", "took a role back", tom.id, "organiser")]


def test_the_last_administrator_stays(in_app: Flask) -> None:
    one, two = (make_organiser(f"{name}@vale-marsh.example", ADMINISTRATOR) for name in ("one", "two"))
    actions.revoke(one.roles[0], by=two)
    with pytest.raises(Refused, match="There has to be one administrator"):
        actions.revoke(two.roles[0], by=two)
    assert roles(two) == [("administrator", None)]


@pytest.mark.both_databases
def test_two_administrators_who_take_each_other_out_at_once_leave_one(app: Flask) -> None:
    with app.app_context():
        ids = [make_organiser(f"{name}@vale-marsh.example", ADMINISTRATOR).id for name in ("one", "two")]
    barrier = Barrier(2)

    def run(person_id: int) -> bool:
        with app.app_context():
            role = db.session.query(Role).filter_by(person_id=person_id).one()
            by = db.session.query(Person).filter(Person.id != person_id).one()
            barrier.wait(timeout=30)
            try:
                actions.revoke(role, by=by)
            except Refused:
                return False
            return True

    with ThreadPoolExecutor(2) as pool:
        assert sorted(pool.map(run, ids)) == [False, True]
    with app.app_context():
        assert queries.count_administrators() == 1


def test_what_somebody_may_do_follows_from_their_roles_and_the_area(in_app: Flask) -> None:
    here = make_area()
    there = make_area(slug="elsewhere", name="Elsewhere", short_name="Elsewhere")
    people = {"nobody": None, "booker": make_person()}
    for name, role, area in (
        ("facilitator", FACILITATOR, here),
        ("organiser", ORGANISER, here),
        ("organiser elsewhere", ORGANISER, there),
        ("administrator", ADMINISTRATOR, None),
    ):
        people[name] = actions.grant(f"{name.replace(' ', '-')}@school.example", role, area=area, by=None)
    found = {}
    for name, person in people.items():
        who = Visitor(person)
        found[name] = (who.is_signed_in, who.is_in_team(here.id), who.organises(here.id), who.is_administrator)
    assert found == {
        "nobody": (False, False, False, False),
        "booker": (True, False, False, False),
        "facilitator": (True, True, False, False),
        "organiser": (True, True, True, False),
        "organiser elsewhere": (True, False, False, False),
        "administrator": (True, True, True, True),
    }
    assert Visitor(people["organiser elsewhere"]).organises(there.id)
    assert (ANYBODY.name, Visitor(people["booker"]).name) == ("", "Priya Nair")
    assert Visitor(people["organiser"]).name == "organiser@school.example"


def test_the_people_of_an_area_are_its_own_and_the_administrators(in_app: Flask) -> None:
    here = make_area()
    there = make_area(slug="elsewhere", name="Elsewhere", short_name="Elsewhere")
    for email, role, area in (
        ("b@school.example", ORGANISER, here),
        ("a@school.example", FACILITATOR, here),
        ("c@school.example", ORGANISER, there),
        ("d@school.example", ADMINISTRATOR, None),
    ):
        actions.grant(email, role, area=area, by=None)
    found = [(role.person.email, str(role.role)) for role in queries.roles_of(here).rows]
    assert found == [
        ("a@school.example", "facilitator"),
        ("b@school.example", "organiser"),
        ("d@school.example", "administrator"),
    ]


def test_details_are_kept_on_one_line_and_the_school_has_to_be_there(in_app: Flask) -> None:
    person, school = make_person(), make_school("Oakhurst Primary")
    actions.change_details(person, name=" Priya\r\n Nair ", school_id=school.id)
    assert (person.name, person.school_id) == ("Priya Nair", school.id)
    with pytest.raises(Refused, match="Choose your school from the list") as refused:
        actions.change_details(person, name="X", school_id=999)
    assert refused.value.field == "school"
    db.session.expire_all()
    assert (person.name, person.school_id) == ("Priya Nair", school.id)
    actions.change_details(person, name="Priya", school_id=None)
    assert person.school_id is None


def test_signing_out_everywhere_changes_the_keys_of_sessions_and_of_the_feed(in_app: Flask) -> None:
    person = make_person()
    before = (person.session_key, person.feed_key)
    actions.sign_out_everywhere(person)
    assert len({*before, person.session_key, person.feed_key}) == 4


def test_the_only_area_is_found_without_its_name_and_several_are_not(in_app: Flask) -> None:
    assert queries.find_area() is None
    with pytest.raises(Refused, match="Say which area"):
        queries.get_area()
    here = make_area()
    assert queries.find_area() == here
    with pytest.raises(Refused, match="There is no area called elsewhere"):
        queries.get_area("elsewhere")
    there = make_area(slug="elsewhere", name="Elsewhere", short_name="Elsewhere")
    assert queries.find_area() is None
    assert queries.get_area("elsewhere") == there
    with pytest.raises(Refused, match="Say which area"):
        queries.get_area()
