"""The closing dates of a year, played once: the list of who was mailed what, and what must hold of every year."""

from collections import Counter
from collections.abc import Iterator

import pytest
from flask import Flask

from booking.calendar.models import Event
from booking.core.db import db
from booking.deadlines import queries
from booking.deadlines.models import Answer, Return
from booking.demo.load import WITH_THREE, WITHOUT_SENCO
from booking.directory.models import School, SchoolContact
from booking.notifications.models import Message, MessageStatus
from tests.databases import close, make_app, new_sqlite
from tests.deadlines import year

TO_SCHOOLS = ("reminder_school", "chase")

# Played once, in one test process.
pytestmark = pytest.mark.xdist_group("returns")


@pytest.fixture(scope="module")
def played(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Flask, str, year.Played]]:
    """The demonstration at the end of its year, the list, and what schools said."""
    app = make_app(new_sqlite(tmp_path_factory.mktemp("year")), DEMO="1")
    with app.app_context():
        done = year.play()
        text = year.written(done)
    yield app, text, done
    close(app)


def test_who_was_mailed_what_is_as_the_list_says(played) -> None:
    assert played[1].splitlines() == year.GOLDEN.read_text(encoding="utf-8").splitlines()


def test_nobody_who_answered_hears_again(played) -> None:
    app, _, done = played
    first = {}
    for at, event_id, school, _words in done.answers:
        first.setdefault((event_id, school), at)
    with app.app_context():
        school_of = {contact.email: contact.school.name for contact in db.session.query(SchoolContact)}
        sent = db.session.query(Message).filter(Message.kind.in_(TO_SCHOOLS), Message.status == MessageStatus.SENT)
        again = [
            (message.subject, message.to_email)
            for message in sent
            if (told := first.get((message.event_id, school_of[message.to_email]))) and message.sent_at > told
        ]
        assert again == []
        assert sent.count() > 150
        assert len(first) > 30
        assert {words.partition(", ")[2] for *_, words in done.answers} == set(year.WAYS) - {"never"}


def test_each_contact_gets_each_reminder_once_and_a_school_without_one_gets_none(played) -> None:
    with played[0].app_context():
        sent = (
            db.session.query(Message).filter(Message.kind.in_(TO_SCHOOLS), Message.status == MessageStatus.SENT).all()
        )
        assert set(Counter((one.event_id, one.to_email, one.subject) for one in sent).values()) == {1}
        contacts = {contact.email: contact.school.name for contact in db.session.query(SchoolContact)}
        schools = Counter(contacts[one.to_email] for one in sent)
        assert WITHOUT_SENCO not in {contacts[one.to_email] for one in sent if not one.to_email.startswith("head@")}
        assert schools[WITH_THREE] == max(schools.values())


def test_headteachers_hear_only_near_the_date_and_only_of_what_must_be_answered(played) -> None:
    with played[0].app_context():
        heads = db.session.query(Message, Event).join(Event).filter(Message.to_email.startswith("head@"))
        found = [
            ((event.day - message.sent_at.astimezone(year.BRITAIN).date()).days, queries.find_ask(event.id).answer)
            for message, event in heads
        ]
        assert {answer for _, answer in found} == {Answer.REQUIRED}
        assert {days for days, _ in found} <= {1, 2, 3}


def test_at_the_end_who_never_answers_is_outstanding_and_who_said_not_this_year_is_not(played) -> None:
    with played[0].app_context():
        never = list(year.WAYS).index("never")
        for row in db.session.query(Return).join(School).join(Event).filter(Event.day <= year.LAST):
            place = [one.id for one in queries.returns_of(row.event_id)].index(row.id)
            if place % len(year.WAYS) == never and row.answered_at is not None:
                assert row.answered_by == "said before: not this year" or "early" in row.answered_by
