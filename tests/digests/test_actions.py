"""The weekly mail by its actions: once a week, to who confirmed, whatever happens in between."""

import re
import tempfile
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from datetime import UTC, date, datetime, time, timedelta
from email import message_from_bytes
from email.policy import default
from pathlib import Path
from typing import Any

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import strategies as st

from booking.bookings.models import PlaceStatus
from booking.calendar.models import Event, EventStatus, Kind, Visibility
from booking.core.db import db
from booking.core.errors import Refused
from booking.core.tokens import new_key
from booking.deadlines.models import Answer, Ask, OwedBy, Return, ReturnStatus
from booking.digests import actions, queries
from booking.digests.actions import Chosen, PlanValues
from booking.digests.models import DigestCopy, DigestIssue, DigestSubscription, IssueState
from booking.directory.models import Area, ContactRole, Person
from booking.notifications import mime
from booking.notifications.delivery import deliver_due
from booking.notifications.models import AddressPutAside, Message, MessageStatus
from booking.notifications.outbox import sender_address
from tests.databases import HERE, close, make_app, new_sqlite
from tests.digests.golden import a_week
from tests.factories import (
    make_audience,
    make_booking,
    make_category,
    make_contact,
    make_event,
    make_organiser,
    make_person,
    make_school,
    make_term,
    make_venue,
    save,
    the_area,
)

GOLDEN = Path(__file__).parents[1] / "data" / "digest.txt"
MONDAY = date(2026, 11, 23)
BEFORE = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DUE = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
ADA, RAVI = "ada@school.example", "ravi@home.example"


@pytest.fixture(autouse=True)
def _the_day_before() -> Iterator[None]:
    with time_machine.travel(BEFORE):
        yield


def half_terms() -> None:
    make_term(2026, 2, date(2026, 11, 2), date(2026, 12, 18))
    make_term(2026, 3, date(2027, 1, 5), date(2027, 2, 12))


@pytest.fixture
def in_app(demo_app: Flask) -> Iterator[Flask]:
    """The demonstration's application, in which mail is delivered without a server."""
    with demo_app.app_context():
        yield demo_app


@pytest.fixture
def area(in_app: Flask) -> Area:
    """An area with half terms, in which two hear of everything."""
    half_terms()
    for email in (ADA, RAVI):
        subscribe(email)
    return the_area()


def subscribe(email: str, chosen: Chosen = Chosen(), area: Area | None = None) -> DigestSubscription:  # noqa: B008
    actions.ask(area or the_area(), email, chosen)
    found = db.session.query(DigestSubscription).filter_by(email=email).one()
    actions.confirm(found)
    db.session.query(Message).delete()
    db.session.commit()
    return found


def digests() -> list[Message]:
    return db.session.query(Message).filter_by(kind="digest").order_by(Message.id).all()


def went_to() -> list[str]:
    return [message.to_email for message in digests()]


def states() -> list[tuple[date, str, str]]:
    rows = db.session.query(DigestIssue).order_by(DigestIssue.week)
    return [(row.week, str(row.state), row.why_not) for row in rows]


def deliver() -> None:
    deliver_due(worker="test", limit=50, still_wanted=actions.still_wanted)
    db.session.expire_all()


def day_of(event: Event, day: date) -> None:
    event.day = day
    db.session.commit()


@pytest.mark.both_databases
def test_it_goes_at_its_hour_once_to_everybody_who_confirmed(area: Area) -> None:
    make_event(in_days=3)
    actions.ask(area, "nobody@home.example", Chosen())
    with time_machine.travel(DUE - timedelta(seconds=1), tick=False):
        assert actions.send_due() == 0
    with time_machine.travel(DUE):
        assert actions.send_due() == 2
        assert actions.send_due() == 0
    assert went_to() == [ADA, RAVI]
    assert states() == [(MONDAY, "sent", "")]
    with time_machine.travel(DUE + timedelta(days=6, hours=23)):
        assert actions.send_due() == 0
    with time_machine.travel(DUE + timedelta(days=7)):
        make_event(in_days=3)
        assert actions.send_due() == 2
    assert [state for _, state, _ in states()] == ["sent", "sent"]


@pytest.mark.both_databases
def test_in_summer_time_it_goes_at_the_same_hour_on_the_wall(in_app: Flask) -> None:
    make_term(2026, 6, date(2027, 6, 7), date(2027, 7, 21))
    with time_machine.travel(datetime(2027, 6, 14, 6, 29, tzinfo=UTC)) as clock:
        subscribe(ADA)
        make_event(in_days=3)
        assert actions.send_due() == 0
        clock.move_to(datetime(2027, 6, 14, 6, 30, tzinfo=UTC))
        assert actions.send_due() == 1


@pytest.mark.both_databases
def test_after_an_outage_of_more_than_two_days_it_is_left_out_and_the_next_goes(area: Area) -> None:
    make_event(in_days=5)
    with time_machine.travel(DUE + timedelta(days=2, seconds=1)):
        assert actions.send_due() == 0
    assert states() == [(MONDAY, "dropped", actions.TOO_LATE)]
    with time_machine.travel(DUE + timedelta(days=7, hours=1)):
        make_event(in_days=2)
        assert actions.send_due() == 2


@pytest.mark.both_databases
def test_weeks_without_any_scheduler_are_each_left_out_with_the_reason(area: Area) -> None:
    make_event(in_days=1)
    with time_machine.travel(DUE):
        actions.send_due()
    with time_machine.travel(DUE + timedelta(days=16)):
        make_event(in_days=2)
        actions.send_due()
    assert [(week.day, state) for week, state, _ in states()] == [(23, "sent"), (30, "dropped"), (7, "dropped")]
    assert len(digests()) == 2


def test_where_nobody_waited_for_it_nothing_is_said_of_one_that_is_late(in_app: Flask) -> None:
    half_terms()
    make_event(in_days=5)
    with time_machine.travel(DUE + timedelta(days=3)):
        actions.send_due()
        assert states() == []


def test_without_subscribers_it_is_a_page_all_the_same(in_app: Flask) -> None:
    half_terms()
    make_event(in_days=5)
    with time_machine.travel(DUE):
        assert actions.send_due() == 0
    assert states() == [(MONDAY, "sent", "")]


@pytest.mark.both_databases
def test_with_nothing_to_say_nothing_goes_and_none_in_the_holidays(area: Area) -> None:
    with time_machine.travel(DUE):
        actions.send_due()
    assert states() == [(MONDAY, "dropped", actions.NOTHING_TO_SAY)]
    with time_machine.travel(datetime(2026, 12, 29, 9, 0, tzinfo=UTC)):
        make_event(in_days=10)
        actions.send_due()
    assert date(2026, 12, 28) not in [week for week, _, _ in states()]
    assert digests() == []


def test_after_a_holiday_it_goes_on_the_first_school_day(area: Area) -> None:
    with time_machine.travel(datetime(2027, 1, 5, 7, 29, tzinfo=UTC)) as clock:
        make_event(in_days=10)
        actions.send_due()
        assert digests() == []
        clock.move_to(datetime(2027, 1, 5, 7, 30, tzinfo=UTC))
        assert actions.send_due() == 2


def test_who_chose_something_else_gets_nothing_rather_than_an_empty_mail(area: Area) -> None:
    other = make_category("Coffee morning")
    subscribe("grace@home.example", Chosen([other]))
    make_event(in_days=3)
    with time_machine.travel(DUE):
        assert actions.send_due() == 3
    assert went_to() == [ADA, RAVI]
    rows = db.session.query(DigestCopy).order_by(DigestCopy.id)
    assert [(row.email, row.message_id is None) for row in rows] == [
        (ADA, False),
        (RAVI, False),
        ("grace@home.example", True),
    ]


def test_staff_who_have_signed_in_hear_of_what_is_for_staff_and_nobody_of_what_is_the_teams(area: Area) -> None:
    make_person(ADA)
    make_contact(make_school(), ADA)
    make_event("For staff", in_days=3, visibility=Visibility.STAFF)
    make_event("For all", in_days=4)
    make_event("Of the team", in_days=4, visibility=Visibility.TEAM)
    make_event("A draft", in_days=4, status=EventStatus.DRAFT)
    with time_machine.travel(DUE):
        actions.send_due()
    told = {
        message.to_email: re.findall(r"For staff|For all|Of the team|A draft", message.text) for message in digests()
    }
    assert told == {ADA: ["For staff", "For all"], RAVI: ["For all"]}


@pytest.mark.both_databases
def test_the_next_one_says_what_is_new_moved_and_cancelled_since(area: Area) -> None:
    moves, ends, stays = (make_event(title, in_days=20) for title in ("Moves", "Ends", "Stays"))
    with time_machine.travel(DUE):
        actions.send_due()
    assert "since the last one" not in digests()[0].text
    day_of(moves, date(2026, 12, 3))
    day_of(moves, date(2026, 12, 14))
    ends.status = EventStatus.CANCELLED
    made, off = make_event("Comes", in_days=200), make_event("Came and went", in_days=15)
    off.status = EventStatus.CANCELLED
    db.session.commit()
    assert stays.day == date(2026, 12, 12)
    with time_machine.travel(DUE + timedelta(days=7)):
        actions.send_due()
    text = digests()[-1].text
    news = text.partition("Half term")[0]
    assert re.findall(r"^(New|Moved|Cancelled): (.+)\n  (.+)$", news, re.MULTILINE) == [
        ("New", "Comes", "Thu 10 June, 1.30pm to 3.30pm"),
        ("Moved", "Moves", "now Mon 14 December, 1.30pm to 3.30pm (it was Sat 12 December, 1.30pm to 3.30pm)"),
        ("Cancelled", "Ends", "was to be on Sat 12 December, 1.30pm to 3.30pm"),
    ]
    assert made.title in news
    assert "Came and went" not in text


def test_what_is_not_for_everybody_any_more_is_gone_from_the_issues_before(area: Area) -> None:
    event = make_event("Now the team’s", in_days=3)
    with time_machine.travel(DUE):
        actions.send_due()
        event.visibility = Visibility.TEAM
        db.session.commit()
        issue = queries.last_sent(area.id)
        assert queries.edition_of(issue).read_by(queries.STAFF).is_empty
        deliver()
    assert [(message.status, message.outcome) for message in digests()] == [
        (MessageStatus.DROPPED, "nothing in it is of use any more")
    ] * 2


@pytest.mark.both_databases
def test_who_stops_it_before_it_is_sent_does_not_get_it_and_the_others_do(area: Area) -> None:
    make_event(in_days=3)
    with time_machine.travel(DUE):
        actions.send_due()
        actions.stop(queries.find_subscription(area.id, ADA))
        deliver()
    assert [(message.to_email, str(message.status), message.outcome) for message in digests()] == [
        (ADA, "dropped", "they do not want this e-mail any more"),
        (RAVI, "sent", None),
    ]


def test_nothing_goes_to_an_address_where_nobody_is(area: Area) -> None:
    make_event(in_days=3)
    save(AddressPutAside(email=RAVI, since=BEFORE, reason="550 5.1.1 No such user"))
    with time_machine.travel(DUE):
        actions.send_due()
        deliver()
    assert [(message.to_email, str(message.status)) for message in digests()] == [(ADA, "sent"), (RAVI, "failed")]


def test_a_digest_that_waited_two_days_for_the_mail_server_does_not_go_any_more(area: Area) -> None:
    make_event(in_days=3)
    with time_machine.travel(DUE):
        actions.send_due()
    with time_machine.travel(DUE + timedelta(days=2, minutes=1)):
        deliver()
    assert {message.outcome for message in digests()} == {"it would come too late"}


def test_digests_wait_behind_every_other_mail(area: Area) -> None:
    make_event(in_days=3)
    with time_machine.travel(DUE):
        actions.send_due()
        actions.ask(area, "new@home.example", Chosen())
    found = db.session.query(Message).order_by(Message.priority, Message.id)
    assert [message.kind for message in found] == ["digest_confirm", "digest", "digest"]


def owe(event: Event, school_id: int, answer: Answer = Answer.REQUIRED) -> Return:
    save(Ask(event_id=event.id, answer=answer, role=ContactRole.SENCO, owed_by=OwedBy.ALL, link="", goes_to=""))
    return save(Return(event_id=event.id, school_id=school_id))


def deadline(title: str, in_days: int) -> Event:
    return make_event(title, in_days=in_days, kind=Kind.DEADLINE, starts=time(17, 0))


@pytest.mark.both_databases
def test_on_top_stand_ones_own_bookings_and_what_ones_school_owes_and_no_private_event(area: Area) -> None:
    school = make_school("Oakhurst Primary School")
    make_contact(school, ADA)
    row = owe(deadline("Data return", 10), school.id)
    owe(deadline("Next year’s return", 100), school.id)
    owe(deadline("Funding panel", 10), school.id, Answer.OPTIONAL)
    make_booking(make_event("Mine", in_days=60), "Ada Obi", ADA)
    make_booking(make_event("Waiting for", in_days=61), "Ada Obi", ADA, status=PlaceStatus.WAITING)
    make_booking(make_event("Secret", in_days=3, private=True), "Ada Obi", ADA)
    make_booking(make_event("Given back", in_days=62), "Ada Obi", ADA, status=PlaceStatus.CANCELLED)
    make_booking(make_event("Over", in_days=-3), "Ada Obi", ADA)
    with time_machine.travel(DUE):
        actions.send_due()
        own = digests()[0].text.partition("See all of it")[0]
        assert own.splitlines()[5:] == [
            "Your school has not answered yet: Data return",
            "  closes on Wed 2 December, 5pm, Oakhurst Primary School",
            "",
            "Your booking: Mine",
            "  Thu 21 January, 1.30pm, booked",
            "",
            "Your booking: Waiting for",
            "  Fri 22 January, 1.30pm, on the waiting list",
            "",
            "One more booking of yours is not named in e-mails like this.",
            "",
        ]
        assert "For you alone" not in digests()[1].text
        for message in digests():
            assert not re.search(r"/(bookings|places|returns)/", message.text + message.html)
        row.status, row.answered_at = ReturnStatus.SUBMITTED, DUE
        db.session.commit()
        deliver()
        assert "has not answered" not in digests()[0].text
        assert "Your booking: Mine" in digests()[0].text


def test_one_mail_as_its_reader_sees_it(area: Area) -> None:
    """`python -m tests.digests.golden > tests/data/digest.txt` writes it anew, after a look at what differs."""
    assert a_week() == GOLDEN.read_text(encoding="utf-8")


def test_text_and_html_say_the_same_and_the_mail_says_how_to_leave(area: Area) -> None:
    make_event("Forum & <b>tea</b>", in_days=3, venue_id=make_venue().id)
    with time_machine.travel(DUE):
        actions.send_due()
    message = digests()[0]
    plain = re.sub(r"<[^>]+>", " ", message.html.partition("<body")[2].partition(">")[2])
    for said in ("Forum &amp; &lt;b&gt;tea&lt;/b&gt;", "Oak Suite", "Half term 2, week 4: from Monday 23 November"):
        assert said in plain
    assert "Forum & <b>tea</b>" in message.text
    mail = message_from_bytes(mime.write(message, sender=sender_address()), policy=default)
    key = db.session.query(DigestSubscription).filter_by(email=ADA).one().key
    assert mail["List-Id"] == "<digest.vale-marsh.example.org>"
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    assert mail["List-Unsubscribe"].strip().startswith(f"<{HERE}/digest/stop/{key}")
    assert mail["Auto-Submitted"] == "auto-generated"
    assert 'charset="utf-8"' in mail.get_body(("plain",))["Content-Type"]


@pytest.mark.both_databases
def test_an_issue_that_is_held_does_not_go_and_goes_at_once_when_it_is_let_go_late(area: Area) -> None:
    tom = make_organiser()
    make_event(in_days=5)
    assert actions.next_week(area) == (MONDAY, DUE)
    actions.hold(area, MONDAY, by=tom)
    with time_machine.travel(DUE + timedelta(days=3)):
        assert actions.send_due() == 0
        assert actions.next_week(area) == (MONDAY, DUE)
        assert actions.let_go(area, MONDAY, by=tom)
        assert actions.send_due() == 2
        with pytest.raises(Refused, match="gone already"):
            actions.hold(area, MONDAY, by=tom)
        with pytest.raises(Refused, match="gone already"):
            actions.introduce(area, MONDAY, "Too late", by=tom)
        assert actions.next_week(area)[0] == date(2026, 11, 30)


def test_an_issue_let_go_before_its_time_goes_at_its_time(area: Area) -> None:
    tom = make_organiser()
    make_event(in_days=5)
    actions.hold(area, MONDAY, by=tom)
    assert not actions.let_go(area, MONDAY, by=tom)
    assert actions.send_due() == 0
    with time_machine.travel(DUE):
        assert actions.send_due() == 2


@pytest.mark.both_databases
def test_an_issue_sent_now_does_not_go_again_at_its_time(area: Area) -> None:
    tom = make_organiser()
    with pytest.raises(Refused, match="nothing in it yet"):
        actions.send_now(area, MONDAY, by=tom)
    assert states() == []
    actions.introduce(area, MONDAY, "Welcome", by=tom)
    actions.send_now(area, MONDAY, by=tom)
    assert actions.send_due() == 2
    with time_machine.travel(DUE):
        make_event(in_days=3)
        assert actions.send_due() == 0
    assert "Welcome" in digests()[0].text


def test_a_new_plan_mails_for_no_time_before_it(area: Area) -> None:
    make_event(in_days=5)
    tom = make_organiser()
    with time_machine.travel(DUE - timedelta(hours=1)):
        actions.set_plan(area, PlanValues(active=True, weekday=1, at=time(9, 0), weeks=2), by=tom)
    with time_machine.travel(DUE + timedelta(days=1, hours=2)):
        actions.set_plan(area, PlanValues(active=True, weekday=0, at=time(9, 0), weeks=2), by=tom)
        assert actions.send_due() == 0
        assert states() == []
        actions.set_plan(area, PlanValues(active=False, weekday=2, at=time(9, 0), weeks=2), by=tom)
    with time_machine.travel(DUE + timedelta(days=3)):
        assert actions.send_due() == 0
        with pytest.raises(Refused, match="within the kind hours"):
            actions.set_plan(area, PlanValues(active=True, weekday=0, at=time(21, 0), weeks=2), by=tom)


@pytest.mark.both_databases
def test_nothing_comes_before_the_address_is_confirmed_and_a_second_press_changes_nothing(area: Area) -> None:
    kind, audience = make_category("Coffee morning"), make_audience("Parents")
    actions.ask(area, " Grace@Home.Example ", Chosen([kind], [audience]))
    found = queries.find_subscription(area.id, "grace@home.example")
    assert (found.is_active, [m.kind for m in db.session.query(Message)]) == (False, ["digest_confirm"])
    actions.confirm(found)
    confirmed_at = found.confirmed_at
    with time_machine.travel(DUE):
        actions.confirm(found)
    assert (found.is_active, found.confirmed_at) == (True, confirmed_at)
    assert queries.choice_of(found).category_ids == {kind.id}


@pytest.mark.both_databases
def test_a_stranger_cannot_change_what_somebody_gets_nor_fill_their_mailbox(area: Area) -> None:
    for _ in range(5):
        actions.ask(area, ADA, Chosen([make_category()]))
        actions.ask(area, "new@home.example", Chosen())
    assert sorted(m.kind for m in db.session.query(Message)) == ["digest_confirm"]
    assert queries.find_subscription(area.id, ADA).categories == []
    with time_machine.travel(BEFORE + timedelta(hours=2)):
        actions.ask(area, ADA, Chosen([make_category()]))
    assert sorted(m.kind for m in db.session.query(Message)) == ["digest_confirm", "digest_known"]


def test_a_link_that_confirms_is_good_for_a_week_and_what_nobody_confirmed_is_forgotten(area: Area) -> None:
    actions.ask(area, "grace@home.example", Chosen())
    found = queries.find_subscription(area.id, "grace@home.example")
    with time_machine.travel(BEFORE + timedelta(days=7, seconds=1)):
        with pytest.raises(Refused, match="not good any more"):
            actions.confirm(found)
        assert actions.forget_old_wishes() == 1
    assert queries.find_subscription(area.id, "grace@home.example") is None
    assert queries.count_subscribers(area.id) == 2


@pytest.mark.both_databases
def test_the_button_of_an_old_mail_still_works_after_stopping_and_asking_again(area: Area) -> None:
    found = queries.find_subscription(area.id, ADA)
    key = found.key
    actions.stop(found)
    actions.stop(found)
    with time_machine.travel(BEFORE + timedelta(minutes=5)):
        actions.ask(area, ADA, Chosen())
        again = queries.find_subscription(area.id, ADA)
        assert (again.is_active, again.key) == (False, key)
        actions.confirm(again)
        assert again.is_active


@pytest.mark.both_databases
def test_the_database_keeps_one_subscription_issue_and_copy(area: Area) -> None:
    make_event(in_days=3)
    with time_machine.travel(DUE):
        actions.send_due()
    issue_id = db.session.query(DigestIssue.id).scalar()
    for row in (
        DigestSubscription(area_id=area.id, email=ADA, key=new_key(), confirm_key=new_key()),
        DigestIssue(area_id=area.id, week=MONDAY),
        DigestCopy(issue_id=issue_id, email=ADA),
        DigestIssue(area_id=area.id, week=MONDAY + timedelta(days=7), state=IssueState.SENT),
    ):
        db.session.add(row)
        with pytest.raises(sa.exc.IntegrityError):
            db.session.flush()
        db.session.rollback()


STEPS = st.lists(
    st.one_of(
        st.tuples(st.just("wait"), st.sampled_from([1, 20, 60 * 5, 60 * 24, 60 * 50, 60 * 24 * 8])),
        st.tuples(st.sampled_from(["settle", "some", "tick", "deliver"]), st.just(0)),
        st.tuples(st.sampled_from(["stop", "ask", "confirm"]), st.integers(0, 3)),
        st.tuples(st.sampled_from(["event", "hold", "let-go", "now"]), st.just(0)),
    ),
    min_size=5,
    max_size=40,
)


# Without shrinking: each example is a database of its own.
PHASES = (Phase.explicit, Phase.reuse, Phase.generate)


@settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.too_slow], phases=PHASES)
@given(STEPS)
def test_whatever_happens_nobody_gets_an_issue_twice(steps: list[tuple[str, int]]) -> None:
    """Schedulers that stop half way through, outages, people who leave and come back, issues held and sent early."""
    with tempfile.TemporaryDirectory() as folder, time_machine.travel(DUE - timedelta(minutes=10)) as clock:
        app = make_app(new_sqlite(Path(folder)), DEMO="1")
        with app.app_context():
            half_terms()
            make_event(in_days=3)
            area, tom = the_area(), make_organiser()
            people = [f"p{number}@school.example" for number in range(4)]
            for email in people:
                subscribe(email)
            for what, number in steps:
                play(what, number, area, tom, people, clock)
            clock.shift(timedelta(minutes=1))
            actions.send_due()
            copies = db.session.execute(sa.select(DigestCopy.issue_id, DigestCopy.email)).all()
            assert len(copies) == len(set(copies))
            carried = [row[0] for row in db.session.execute(sa.select(DigestCopy.message_id)) if row[0]]
            assert sorted(carried) == sorted(message.id for message in digests())
            weeks = [row.week for row in db.session.query(DigestIssue).filter_by(state=IssueState.SENT)]
            sent = [(message.to_email, message.subject) for message in digests()]
            assert len(sent) <= len(weeks) * len(people)
            assert all(issue.all_posted for issue in db.session.query(DigestIssue).filter_by(state=IssueState.SENT))
        close(app)


def play(what: str, number: int, area: Area, tom: Person, people: list[str], clock: Any) -> None:
    """Do one step, if it can be done just now."""
    subscription = queries.find_subscription(area.id, people[number % len(people)])
    following = actions.next_week(area)
    always: dict[str, Callable[[], object]] = {
        "wait": lambda: clock.shift(timedelta(minutes=number)),
        "settle": lambda: actions.settle_due(area.id),
        "some": lambda: actions.post_some(area.id, limit=1),
        "tick": actions.send_due,
        "deliver": deliver,
        "ask": lambda: actions.ask(area, people[number], Chosen()),
        "event": lambda: make_event(in_days=5),
    }
    of_a_subscription = {"stop": actions.stop, "confirm": actions.confirm}
    of_an_issue = {"hold": actions.hold, "let-go": actions.let_go, "now": actions.send_now}
    with suppress(Refused):
        if what in always:
            always[what]()
        elif what in of_a_subscription and subscription:
            of_a_subscription[what](subscription)
        elif what in of_an_issue and following:
            of_an_issue[what](area, following[0], by=tom)


@pytest.mark.both_databases
def test_several_schedulers_at_once_send_each_mail_once(demo_app: Flask) -> None:
    with demo_app.app_context():
        half_terms()
        make_event(in_days=3)
        people = [f"p{number:02}@school.example" for number in range(12)]
        for email in people:
            subscribe(email)

    def tick(_number: int) -> int:
        with demo_app.app_context():
            try:
                return actions.send_due()
            finally:
                db.session.remove()

    with time_machine.travel(DUE), ThreadPoolExecutor(4) as pool:
        seen_to = list(pool.map(tick, range(4)))
    with demo_app.app_context():
        assert sum(seen_to) == len(people)
        assert went_to() == people
