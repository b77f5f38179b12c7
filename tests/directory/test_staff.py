"""Who is staff: by what an organiser or the partnership wrote down, never by what somebody says of themselves."""

from datetime import timedelta

import pytest
from flask import Flask

from booking.core.clock import today
from booking.directory.mail_domains import is_shared
from booking.directory.models import RoleName
from booking.directory.queries import is_staff
from tests.factories import make_contact, make_organiser, make_person, make_school

pytestmark = pytest.mark.both_databases


def test_contacts_and_their_colleagues_are_staff_and_nobody_for_what_they_say(in_app: Flask) -> None:
    school = make_school()
    area_id = school.area_id
    make_contact(school, "senco@oakhurst.example")
    make_contact(school, "priya@gmail.com")
    assert [
        is_staff(make_person(email, **values), area_id)
        for email, values in (
            ("senco@oakhurst.example", {}),
            ("teacher@oakhurst.example", {}),
            ("priya@gmail.com", {}),
            ("stranger@gmail.com", {"school_id": school.id}),
            ("teacher@not-oakhurst.example", {}),
            ("teacher@mail.oakhurst.example", {}),
            ("a@oakhurst_example", {}),
        )
    ] == [True, True, True, False, False, False, False]


def test_it_ends_with_the_contact_and_with_the_school(in_app: Flask) -> None:
    yesterday = today() - timedelta(days=1)
    open_school, closed = make_school(), make_school(closed_on=yesterday)
    make_contact(open_school, "left@left.example", ends_on=yesterday)
    make_contact(closed, "senco@closed.example")
    found = [make_person(email) for email in ("left@left.example", "other@left.example", "senco@closed.example")]
    assert [is_staff(one, open_school.area_id) for one in found] == [False, False, False]


def test_the_team_is_staff(in_app: Flask) -> None:
    area_id = make_school().area_id
    assert is_staff(make_organiser(), area_id)
    assert is_staff(make_organiser("amina@vale-marsh.example", RoleName.FACILITATOR), area_id)
    assert is_staff(make_organiser("boss@vale-marsh.example", RoleName.ADMINISTRATOR), area_id)


@pytest.mark.parametrize("domain", ["gmail.com", "hotmail.co.uk", "yahoo.fr", "icloud.com", "btinternet.com"])
def test_a_domain_of_the_public_says_nothing(domain: str) -> None:
    assert is_shared(domain)
    assert not is_shared(f"school-{domain}")
