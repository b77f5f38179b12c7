"""Set what a closing date asks, take answers, and chase."""

from collections.abc import Collection, Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from booking.calendar.models import Event, EventStatus, Kind
from booking.calendar.terms import school_year_of
from booking.calendar.wording import say_date
from booking.core import audit
from booking.core.clock import now
from booking.core.db import atomic, db, lock, one_by_one, take_turns
from booking.core.errors import refuse_unless
from booking.core.text import and_list, one_line
from booking.deadlines import mail, queries
from booking.deadlines.models import Answer, Ask, AskPhase, OwedBy, Return, ReturnStatus, Silence, ask_groups
from booking.deadlines.policy import OF_A_SCHOOL, OF_AN_ORGANISER, STATUS_OF, Said
from booking.directory.models import ContactRole, Person, Phase, School, SchoolGroup
from booking.directory.queries import open_schools
from booking.notifications.models import Message
from booking.notifications.verdict import Drop, Verdict

MOST_FORMS = 999
# Who presses twice, or two organisers at once, chase once.
CHASE_AGAIN_AFTER = timedelta(hours=1)


@dataclass(frozen=True, slots=True)
class AskValues:
    """What an organiser says that a closing date asks."""

    answer: Answer
    link: str = ""
    goes_to: str = ""
    role: ContactRole = ContactRole.SENCO
    owed_by: OwedBy = OwedBy.ALL
    phases: tuple[Phase, ...] = ()
    group_ids: tuple[int, ...] = ()
    school_ids: tuple[int, ...] = ()


@atomic
def set_ask(event: Event, values: AskValues, *, by: Person, groups: Sequence[SchoolGroup]) -> Ask:
    """Set what a closing date asks of which schools. Answers that are there stay. Raises Refused."""
    lock(event)
    refuse_unless(event.kind is Kind.DEADLINE, "Only a closing date asks schools for something.")
    refuse_unless(values.owed_by is not OwedBy.PHASES or values.phases, "Tick at least one phase.", field="phases")
    refuse_unless(values.owed_by is not OwedBy.GROUPS or values.group_ids, "Tick at least one group.", field="groups")
    refuse_unless(
        values.owed_by is not OwedBy.CHOSEN or values.school_ids, "Tick at least one school.", field="schools"
    )
    ask = queries.find_ask(event.id)
    if ask is None:
        ask = Ask(event_id=event.id)
        db.session.add(ask)
    ask.answer, ask.role, ask.owed_by = values.answer, values.role, values.owed_by
    ask.link, ask.goes_to = values.link.strip(), one_line(values.goes_to)
    ask.phases = [AskPhase(phase=phase) for phase in values.phases] if values.owed_by is OwedBy.PHASES else []
    ask.groups = [one for one in groups if one.id in values.group_ids] if values.owed_by is OwedBy.GROUPS else []
    db.session.flush()
    _keep_in_step(event, ask, values.school_ids if values.owed_by is OwedBy.CHOSEN else None)
    audit.record(
        "set what schools are asked for by", "event", event.id, by=by, area_id=event.area_id, answer=ask.answer
    )
    return ask


def keep_in_step() -> int:
    """Let the returns of closing dates to come follow the directory: schools open and close, and change groups.

    One statement, without a lock, says which do not.
    """
    ids = queries.out_of_step()
    db.session.rollback()
    return one_by_one(ids, _keep_one_in_step, "the returns of event %s cannot follow the directory")


@atomic
def _keep_one_in_step(event_id: int) -> int:
    event, ask = db.session.get(Event, event_id), queries.find_ask(event_id)
    if event is None or ask is None:
        return 0
    lock(event)
    return _keep_in_step(event, ask)


def _keep_in_step(event: Event, ask: Ask, chosen: Collection[int] | None = None) -> int:
    """Add what is owed and take out what is not any more, but for what was answered. Returns how many changed."""
    known = {row.school_id: row for row in queries.returns_of(event.id)}
    if chosen is not None:
        schools = {school.id for school in open_schools(event.area_id, School.id.in_(chosen))}
    else:
        schools = {school.id for school in queries.schools_that_owe(event, ask)}
    if ask.answer is Answer.NONE:
        schools = set()
    gone = [row for row in known.values() if row.school_id not in schools and row.status is ReturnStatus.OUTSTANDING]
    for row in gone:
        db.session.delete(row)
    silent = queries.silences(event) if ask.answer is Answer.OPTIONAL else set()
    new = sorted(schools - known.keys())
    for school_id in new:
        row = Return(event_id=event.id, school_id=school_id, created_at=now(), status=ReturnStatus.OUTSTANDING)
        if school_id in silent:
            row.status, row.answered_at, row.answered_by = ReturnStatus.NOTHING, now(), "said before: not this year"
        db.session.add(row)
    db.session.flush()
    return len(gone) + len(new)


@atomic
def answer(row: Return, said: Said, *, who: str, number: int | None = None, by: Person | None = None) -> None:
    """Take what a school says of its return, or with `by` what an organiser says for it. Raises Refused.

    The same again changes nothing; after the closing it is taken, and is late.
    """
    lock(row.event)
    if said is Said.NOT_THIS_YEAR:  # which answers other closing dates too: somebody may be doing the same from there
        take_turns(f"not this year in area {row.event.area_id}")
        db.session.refresh(row)
    ask = queries.find_ask(row.event_id)
    allowed = (OF_AN_ORGANISER if by else OF_A_SCHOOL)[ask.answer if ask else Answer.NONE]
    refuse_unless(said in allowed, "Choose one of the answers.", field="said")
    refuse_unless(row.event.status is EventStatus.PUBLISHED, "This has been called off: nothing is owed any more.")
    refuse_unless(number is None or 0 < number <= MOST_FORMS, f"Enter a number from 1 to {MOST_FORMS}.", field="number")
    status, number = STATUS_OF[said], number if said is Said.SUBMITTED else None
    if said is Said.NOT_THIS_YEAR:
        _silence(row, who)
    if (row.status, row.number) == (status, number):
        return
    row.status, row.number = status, number
    row.answered_at = None if status is ReturnStatus.OUTSTANDING else now()
    row.answered_by = "" if status is ReturnStatus.OUTSTANDING else one_line(who)[:200]
    audit.record(
        f"{'set' if by else 'answered'} a return of",
        "event",
        row.event_id,
        by=by,
        area_id=row.event.area_id,
        school=row.school.name,
        status=status,
        who=row.answered_by,
    )


def _silence(row: Return, who: str) -> None:
    """Answer for the school all closing dates of the kind that need no answer, until the school year is over."""
    year = school_year_of(row.event.day)
    key = {"school_id": row.school_id, "category_id": row.event.category_id, "year": year}
    if db.session.get(Silence, tuple(key.values())) is None:
        db.session.add(Silence(**key, at=now(), by=one_line(who)[:200]))
    for other in queries.outstanding_of(row.school_id):
        ask = queries.find_ask(other.event_id)
        same = other.event.category_id == row.event.category_id and school_year_of(other.event.day) == year
        if other.id != row.id and same and ask is not None and ask.answer is Answer.OPTIONAL:
            other.status, other.answered_at, other.answered_by = ReturnStatus.NOTHING, now(), one_line(who)[:200]


@atomic
def answer_several(event: Event, rows: Iterable[Return], said: Said, *, by: Person) -> int:
    """Set several returns at once, all of them or none. Returns how many there were. Raises Refused."""
    lock(event)
    several = list(rows)
    refuse_unless(several, "Tick the schools first.")
    for row in several:
        answer(row, said, who=by.name or by.email, by=by)
    return len(several)


@atomic
def hear_again(row: Return, *, by: Person | None = None) -> int:
    """Take back "not this year": a school is asked again for what is of the kind. Returns how many it owes again.

    These are those still to come that were answered with it; what was answered before stays. Twice changes nothing.
    """
    lock(row.event, *{one.event for one in queries.answered_by_silence(row)})
    silence = queries.find_silence(row)
    if silence is None:
        return 0
    again = queries.answered_by_silence(row)
    for one in again:
        one.status, one.answered_at, one.answered_by = ReturnStatus.OUTSTANDING, None, ""
    db.session.delete(silence)
    audit.record("asks again, after not this year,", "school", row.school_id, by=by, area_id=row.school.area_id)
    return len(again)


@atomic
def forget_group(group_id: int) -> None:
    """Let closing dates that are over know no group any more that is to be deleted: their returns stay. Raises Refused.

    One to come asks its schools by the group: that is changed first.
    """
    coming = [f"{event.title} ({say_date(event.day)})" for event in queries.coming_asks_of(group_id)]
    refuse_unless(not coming, f"By this group schools are asked for {and_list(coming)}. Change whom these ask first.")
    db.session.execute(sa.delete(ask_groups).where(ask_groups.c.group_id == group_id))


@atomic
def chase(event: Event, *, by: Person) -> int:
    """Write now to all who are to be reminded of what their school owes. Returns how many mails. Raises Refused."""
    lock(event)
    refuse_unless(event.status is EventStatus.PUBLISHED, "Only what is on the calendar can be chased.")
    found = queries.to_remind(event)
    refuse_unless(found, "Nobody is outstanding who could be written to.")
    refuse_unless(
        not _was_chased_lately(event), "They have been chased within the last hour. Give them time to answer."
    )
    mail.chase(event, found)
    audit.record("chased the returns of", "event", event.id, by=by, area_id=event.area_id, mails=len(found))
    return len(found)


def _was_chased_lately(event: Event) -> bool:
    """Tell whether the schools of a closing date were chased lately."""
    lately = (Message.event_id == event.id, Message.kind == mail.CHASE, Message.created_at > now() - CHASE_AGAIN_AFTER)
    return db.session.query(Message.id).filter(*lately).first() is not None


def still_wanted(message: Message) -> Verdict:
    """Return why a mail that chases should not go any more: the school has answered since, or it was called off."""
    if message.kind != mail.CHASE:
        return None
    row = queries.chased(message.id)
    if row is None:
        return Drop("the school owes nothing any more")
    if row.event.status is not EventStatus.PUBLISHED:
        return Drop("the event was cancelled")
    if row.status is not ReturnStatus.OUTSTANDING:
        return Drop("the school has answered")
    if not any(one is row and contact.email == message.to_email for one, contact in queries.to_remind(row.event)):
        return Drop("they are no contact of the school any more")
    return None
