"""Who is invited, who is not any more, and what stands where, through the rows of both databases."""

from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import UTC, date, datetime, timedelta
from threading import Barrier

import pytest
import time_machine
from flask import Flask

from booking.bookings import actions as bookings
from booking.bookings.attendees import Contact, NewPlace
from booking.bookings.messages import Text
from booking.calendar.models import Event
from booking.core.audit import AuditEntry
from booking.core.clock import now
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory import contacts
from booking.directory.models import ContactRole, Person, Phase, School
from booking.invitations import actions, queries
from booking.invitations.actions import invite, invite_again, say_no, withdraw
from booking.invitations.models import Invitation, InvitationRound, InvitedSchool
from booking.invitations.queries import Chosen
from booking.notifications.delivery import deliver_due
from booking.notifications.models import AddressPutAside, Message, MessageStatus
from booking.organiser import actions as organiser
from scheduler.jobs import still_wanted
from tests.factories import make_contact, make_event, make_group, make_organiser, make_school, save, values_of

pytestmark = pytest.mark.both_databases
NOW = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)  # a Monday in term
SENCOS, HEADS = Chosen((ContactRole.SENCO,)), Chosen((ContactRole.HEADTEACHER,))
WORDS = Text("Come to [event]", "Dear [name] of [school], come.")


@pytest.fixture
def demo(demo_app: Flask) -> Iterator[Flask]:
    """The demonstration, whose mail is delivered without a server, on a day in term."""
    with demo_app.app_context(), time_machine.travel(NOW, tick=False):
        yield demo_app


@dataclass
class Here:
    event: Event
    schools: list[School]
    tom: Person


@pytest.fixture
def here(demo: Flask) -> Here:
    """An event, and three schools; the last has no SENCo."""
    schools = [make_school(f"School {letter}") for letter in "ABC"]
    for school in schools[:2]:
        make_contact(school, f"senco@{school.name[-1]}.example", name=f"Senco {school.name[-1]}")
    make_contact(schools[2], "head@C.example", ContactRole.HEADTEACHER)
    return Here(make_event(day=date(2027, 4, 28)), schools, make_organiser())


def book(here: Here, school: School | None, email: str = "somebody@else.example") -> None:
    by = Contact("Some Body", email, school.id if school else None)
    bookings.book(here.event, by=by, places=[NewPlace("Some Body", email)])


def stands(event: Event) -> dict[str, str]:
    return {line.row.school.name[-1]: line.standing.value for line in queries.board(event)}


def invitation(school: School) -> Invitation:
    return db.session.query(Invitation).join(InvitedSchool).filter(InvitedSchool.school_id == school.id).one()


def mails() -> list[tuple[str, str]]:
    """Return to whom each invitation went or goes, and what became of it."""
    db.session.rollback()
    rows = db.session.query(Message).filter(Message.kind == "invitation").order_by(Message.id).populate_existing()
    return [(row.to_email, row.outcome or row.status.value) for row in rows]


def deliver() -> None:
    while deliver_due(worker="w", limit=100, still_wanted=still_wanted).touched:
        pass


def after(hours: float) -> time_machine.travel:
    return time_machine.travel(NOW + timedelta(hours=hours), tick=False)


def test_contacts_are_invited_by_their_role_and_a_school_without_one_is_a_problem_on_the_board(here: Here) -> None:
    assert invite(here.event, SENCOS, WORDS, by=here.tom) == 2
    assert sorted(mails()) == [("senco@a.example", "queued"), ("senco@b.example", "queued")]
    lines = {line.row.school.name[-1]: line for line in queries.board(here.event)}
    assert {name: line.missing for name, line in lines.items()} == {"A": (), "B": (), "C": (ContactRole.SENCO,)}
    assert [(line.invited_at, line.times) for line in lines.values()] == [(NOW, 1), (NOW, 1), (None, 0)]
    entry = db.session.query(AuditEntry).one()
    assert (entry.action, entry.detail) == (
        "invited schools to",
        {"message": "Come to [event]", "schools": 2, "mails": 2},
    )


def test_phases_groups_and_schools_narrow_whom_it_goes_to(here: Here) -> None:
    high = make_school("School H", phase=Phase.SECONDARY)
    make_contact(high, "senco@h.example")
    group = make_group("Pilot", [high, here.schools[0]])
    other = make_group("Other", [here.schools[1]])

    def chosen(**values) -> list[str]:
        found = actions.plan(here.event, Chosen((ContactRole.SENCO,), **values))
        return [contact.email for _, contact in found.to]

    assert chosen(phases=(Phase.SECONDARY,)) == ["senco@h.example"]
    assert chosen(group_ids=(group.id,)) == ["senco@a.example", "senco@h.example"]
    assert chosen(group_ids=(group.id,), phases=(Phase.PRIMARY,)) == ["senco@a.example"]
    assert chosen(school_ids=(here.schools[1].id,)) == ["senco@b.example"]
    with pytest.raises(Refused, match="No school is all that is ticked"):
        chosen(group_ids=(other.id,), phases=(Phase.SECONDARY,))
    with pytest.raises(Refused, match="Tick at least one role"):
        actions.plan(here.event, Chosen(()))


def test_who_holds_two_roles_at_a_school_gets_one_mail(here: Here) -> None:
    make_contact(here.schools[0], "senco@a.example", ContactRole.HEADTEACHER)
    both = Chosen((ContactRole.SENCO, ContactRole.HEADTEACHER), school_ids=(here.schools[0].id,))
    assert invite(here.event, both, WORDS, by=here.tom) == 1


def test_the_same_form_invites_once_and_another_does_not_invite_who_was_invited(here: Here) -> None:
    assert [invite(here.event, SENCOS, WORDS, by=here.tom, form_key="one") for _ in range(2)] == [2, 2]
    with pytest.raises(Refused, match="Nobody can be written to"):
        invite(here.event, SENCOS, WORDS, by=here.tom, form_key="two")  # the third has no SENCo
    assert len(mails()) == 2
    assert invite(here.event, HEADS, WORDS, by=here.tom, form_key="three") == 1
    assert db.session.query(InvitationRound).count() == 2


def test_pressed_twice_at_once_it_goes_once(demo: Flask, here: Here) -> None:
    event_id, tom_id, barrier = here.event.id, here.tom.id, Barrier(2)
    db.session.rollback()

    def press(_number: int) -> int:
        with demo.app_context():
            event, tom = db.session.get(Event, event_id), db.session.get(Person, tom_id)
            barrier.wait()
            return invite(event, SENCOS, WORDS, by=tom, form_key="one")

    with ThreadPoolExecutor(2) as pool:
        assert list(pool.map(press, range(2))) == [2, 2]
    assert len(mails()) == 2


def test_again_is_an_act_of_its_own_to_who_has_not_answered(here: Here) -> None:
    invite(here.event, SENCOS, WORDS, by=here.tom)
    ids = [school.id for school in here.schools]
    with pytest.raises(Refused):
        invite_again(here.event, ids, WORDS, by=here.tom)  # within the hour
    with after(2):
        book(here, here.schools[0])
        assert stands(here.event) == {"A": "booked", "B": "open", "C": "open"}
        assert invite_again(here.event, ids, Text("Again", "Again"), by=here.tom, form_key="x") == 1
        assert invite_again(here.event, ids, Text("Again", "Again"), by=here.tom, form_key="x") == 1
        assert [(line.times, line.invited_at) for line in queries.board(here.event)] == [
            (1, NOW),
            (2, NOW + timedelta(hours=2)),
            (0, None),
        ]
    assert [email for email, _ in mails()].count("senco@b.example") == 2


def test_again_goes_to_the_contact_of_today_and_not_to_who_left(here: Here) -> None:
    invite(here.event, SENCOS, WORDS, by=here.tom)
    old = invitation(here.schools[0]).contact
    contacts.end_contact(old, by=here.tom)
    make_contact(here.schools[0], "new@a.example")
    with after(2):
        invite_again(here.event, [here.schools[0].id], WORDS, by=here.tom)
    assert mails()[-1] == ("new@a.example", "queued")


def test_a_booking_by_anybody_of_the_school_counts_and_one_given_back_says_no(here: Here) -> None:
    invite(here.event, SENCOS, WORDS, by=here.tom)
    with after(1):
        book(here, here.schools[0], "teacher@a.example")
        book(here, None, "senco@b.example")  # who named no school, but is whom we invited
        assert stands(here.event) == {"A": "booked", "B": "booked", "C": "open"}
        for line in queries.board(here.event)[:2]:
            assert line.places == 1
    with after(2):
        for booking in db.session.query(bookings.Booking):
            bookings.cancel(booking)
        assert stands(here.event) == {"A": "no", "B": "no", "C": "open"}
    with after(3):
        assert invite_again(here.event, [here.schools[0].id], WORDS, by=here.tom) == 1
        assert stands(here.event) == {"A": "open", "B": "no", "C": "open"}


def test_who_waits_is_shown_waiting(here: Here) -> None:
    invite(here.event, SENCOS, WORDS, by=here.tom)
    here.event.capacity = 0
    db.session.commit()
    book(here, here.schools[1])
    assert stands(here.event) == {"A": "open", "B": "waiting", "C": "open"}


def test_schools_that_have_booked_already_are_on_the_board_and_get_nothing(here: Here) -> None:
    book(here, here.schools[0])
    found = actions.plan(here.event, SENCOS)
    assert [(school.name, stand.value) for school, stand in found.answered] == [("School A", "booked")]
    assert invite(here.event, SENCOS, WORDS, by=here.tom) == 1
    assert stands(here.event) == {"A": "booked", "B": "open", "C": "open"}


def test_no_can_be_said_twice_and_changed_by_booking(here: Here) -> None:
    invite(here.event, SENCOS, WORDS, by=here.tom)
    say_no(invitation(here.schools[0]), "Exams\nthat day")
    say_no(invitation(here.schools[0]), "")
    row = invitation(here.schools[0]).invited
    assert (stands(here.event)["A"], row.reason, row.said_no_by) == ("no", "Exams that day", "Senco A")
    said = [entry for entry in db.session.query(AuditEntry) if entry.action.startswith("said no")]
    assert [entry.detail for entry in said] == [{"school": "School A", "who": "Senco A"}]
    with pytest.raises(Refused):
        invite(here.event, SENCOS, WORDS, by=here.tom)
    book(here, here.schools[0])
    assert stands(here.event)["A"] == "booked"


def test_a_no_that_is_asked_again_on_purpose_is_open(here: Here) -> None:
    invite(here.event, SENCOS, WORDS, by=here.tom)
    say_no(invitation(here.schools[0]), "Exams")
    with after(2):
        assert invite_again(here.event, [here.schools[0].id], WORDS, by=here.tom) == 1
    assert stands(here.event)["A"] == "open"
    assert invitation(here.schools[0]).invited.reason == ""


@pytest.mark.parametrize("what", ["cancelled", "over"])
def test_of_what_is_off_or_over_no_answer_is_taken(here: Here, what: str) -> None:
    invite(here.event, SENCOS, WORDS, by=here.tom)
    if what == "cancelled":
        organiser.cancel_event(here.event, by=here.tom, note="")
    with time_machine.travel(NOW if what == "cancelled" else here.event.starts_at, tick=False):
        with pytest.raises(Refused, match="nothing to answer any more"):
            say_no(invitation(here.schools[0]), "")
        with pytest.raises(Refused):
            invite(here.event, HEADS, WORDS, by=here.tom)


def test_who_left_while_their_page_was_open_says_nothing_any_more(here: Here) -> None:
    invite(here.event, SENCOS, WORDS, by=here.tom)
    contacts.end_contact(invitation(here.schools[0]).contact, by=here.tom)
    with pytest.raises(Refused, match="This link has stopped"):
        say_no(invitation(here.schools[0]), "")
    assert stands(here.event)["A"] == "open"


def test_an_address_put_aside_is_left_out_and_named(here: Here) -> None:
    save(AddressPutAside(email="senco@a.example", since=now(), reason="550 nobody"))
    found = actions.plan(here.event, SENCOS)
    assert [contact.email for _, contact in found.refused] == ["senco@a.example"]
    assert invite(here.event, SENCOS, WORDS, by=here.tom) == 1
    assert stands(here.event) == {"A": "open", "B": "open", "C": "open"}


def leave(here: Here) -> str:
    contacts.end_contact(invitation(here.schools[0]).contact, by=here.tom)
    return "they have left the school"


def leave_on_the_first_day(here: Here) -> str:
    contact = invitation(here.schools[0]).contact
    contact.starts_on = NOW.date()
    db.session.commit()
    contacts.end_contact(contact, by=here.tom)  # which deletes the row
    return "they have left the school"


def take_a_place(here: Here) -> str:
    book(here, here.schools[0])
    return "the school has booked"


def decline(here: Here) -> str:
    say_no(invitation(here.schools[0]), "")
    return "the school has said no"


def call_off(here: Here) -> str:
    organiser.cancel_event(here.event, by=here.tom, note="")
    return "the event was cancelled"


def withdraw_it(here: Here) -> str:
    withdraw(here.event, queries.find_invited(here.event.id, here.schools[0].id), by=here.tom)
    return "the invitation was withdrawn"


def change_the_address(here: Here) -> str:
    invitation(here.schools[0]).contact.email = "other@a.example"
    db.session.commit()
    return "they have another address"


def stop_booking(here: Here) -> str:
    here.event.closes_at = NOW
    db.session.commit()
    return "the event takes no bookings any more"


@pytest.mark.parametrize(
    "happens",
    [leave, leave_on_the_first_day, take_a_place, decline, call_off, withdraw_it, change_the_address, stop_booking],
)
def test_what_happened_before_the_mail_went_is_looked_at_once_more(here: Here, happens) -> None:
    invite(here.event, Chosen((ContactRole.SENCO,), school_ids=(here.schools[0].id,)), WORDS, by=here.tom)
    reason = happens(here)
    deliver()
    assert mails() == [("senco@a.example", reason)]


def test_an_invitation_that_waited_says_what_is_so_by_now(here: Here) -> None:
    invite(here.event, Chosen((ContactRole.SENCO,), school_ids=(here.schools[0].id,)), WORDS, by=here.tom)
    values = values_of(here.event)
    values = type(values)(**{**{f: getattr(values, f) for f in values.__dataclass_fields__}, "day": date(2027, 4, 29)})
    organiser.edit_event(here.event, values, by=here.tom, revision=here.event.revision)
    deliver()
    db.session.rollback()
    message = db.session.query(Message).one()
    assert (message.status, "Thursday 29 April 2027" in message.text) == (MessageStatus.SENT, True)


def test_what_is_withdrawn_stays_so_when_the_school_is_invited_again(here: Here) -> None:
    invite(here.event, SENCOS, WORDS, by=here.tom)
    old = invitation(here.schools[0]).key
    for _ in range(2):
        withdraw(here.event, queries.find_invited(here.event.id, here.schools[0].id), by=here.tom)
    assert stands(here.event)["A"] == "withdrawn"
    assert [e.action for e in db.session.query(AuditEntry)].count("withdrew the invitation to") == 1
    with after(2):
        assert invite_again(here.event, [here.schools[0].id], WORDS, by=here.tom) == 1
    assert stands(here.event)["A"] == "open"
    assert invitation(here.schools[0]).key != old
