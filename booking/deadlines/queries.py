"""Reads of what closing dates ask, and of who has answered."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import date, datetime

import sqlalchemy as sa
from sqlalchemy.orm import aliased, joinedload, selectinload

from booking.calendar.models import Event, EventStatus, Kind
from booking.calendar.terms import school_year_of
from booking.core.clock import today
from booking.core.db import db
from booking.deadlines.models import Answer, Ask, AskPhase, Chase, OwedBy, Return, ReturnStatus, Silence, ask_groups
from booking.deadlines.policy import Progress, progress
from booking.directory.models import ContactRole, School, SchoolContact, group_schools
from booking.directory.queries import contacts_of, is_open, naming, open_schools

RETURN_LINK = "return"
YEARS_SHOWN = 5


def find_ask(event_id: int) -> Ask | None:
    """Return what a closing date asks of schools, with phases and groups; None where it asks nothing."""
    return db.session.scalar(
        sa.select(Ask).where(Ask.event_id == event_id).options(selectinload(Ask.phases), selectinload(Ask.groups))
    )


def returns_of(event_id: int) -> Sequence[Return]:
    """Return the returns of a closing date with their schools, by the school's name."""
    return db.session.scalars(
        sa.select(Return)
        .join(Return.school)
        .where(Return.event_id == event_id)
        .options(joinedload(Return.school))
        .order_by(School.name, Return.id)
    ).all()


def find_return(return_id: int, event_id: int) -> Return | None:
    """Return one return of a closing date."""
    found = db.session.get(Return, return_id)
    return found if found and found.event_id == event_id else None


def return_by_key(key: str) -> Return | None:
    """Return the return of a link, with its school, its event, and what belongs to it."""
    return db.session.scalar(
        sa.select(Return)
        .where(Return.key == key)
        .options(joinedload(Return.school), joinedload(Return.event).joinedload(Event.area))
    )


def outstanding_of(school_id: int) -> Sequence[Return]:
    """Return what a school still owes, the nearest closing date first; of what is optional only what is to come."""
    return _outstanding(Return.school_id == school_id)


def owed_by_schools_of(email: str) -> Sequence[Return]:
    """Return what the schools owe that name this address as a contact today.

    Which school somebody says they are from is not enough: an answer is the school's word.
    """
    return _outstanding(Return.school_id.in_(naming(email)))


def _outstanding(whose: sa.ColumnElement[bool]) -> Sequence[Return]:
    return db.session.scalars(
        sa.select(Return)
        .join(Return.event)
        .join(Ask, Ask.event_id == Return.event_id)
        .where(
            whose,
            Return.status == ReturnStatus.OUTSTANDING,
            Event.status == EventStatus.PUBLISHED,
            Event.day >= _year_begins(),
            sa.or_(Ask.answer == Answer.REQUIRED, sa.and_(Ask.answer == Answer.OPTIONAL, Event.day >= today())),
        )
        .options(joinedload(Return.event).joinedload(Event.category), joinedload(Return.school))
        .order_by(Event.day, Event.id, Return.id)
    ).all()


def _year_begins() -> date:
    return date(school_year_of(today()), 8, 1)


def schools_that_owe(event: Event, ask: Ask) -> Sequence[School]:
    """Return the open schools that owe a return by the rule of a closing date; for chosen ones, those chosen."""
    asked = sa.exists().where(Ask.event_id == ask.event_id, _owes()).correlate(School)
    return open_schools(event.area_id, asked)


def _owes() -> sa.ColumnElement[bool]:
    """Return the condition for a school that owes a return by the rule of an ask, whether it is open or not."""
    chosen, members = aliased(Return), group_schools.c
    of_phase = (AskPhase.event_id == Ask.event_id, AskPhase.phase == School.phase)
    of_group = (ask_groups.c.event_id == Ask.event_id, ask_groups.c.group_id == members.group_id)
    was_chosen = (chosen.event_id == Ask.event_id, chosen.school_id == School.id)
    rules = {
        OwedBy.PHASES: of_phase,
        OwedBy.GROUPS: (*of_group, members.school_id == School.id),
        OwedBy.CHOSEN: was_chosen,
    }
    fits = (
        sa.and_(Ask.owed_by == rule, sa.exists().where(*those).correlate(Ask, School)) for rule, those in rules.items()
    )
    return sa.or_(Ask.owed_by == OwedBy.ALL, *fits)


def out_of_step() -> Sequence[int]:
    """Return the ids of the closing dates to come whose returns are not those of the schools that owe them."""
    owes = sa.and_(School.area_id == Event.area_id, is_open(), _owes())
    is_owed = sa.exists().where(Return.event_id == Ask.event_id, Return.school_id == School.id).correlate(Ask, School)
    one_more = sa.exists().where(owes, ~is_owed).correlate(Ask, Event)
    one_too_many = sa.exists().where(
        Return.event_id == Ask.event_id,
        Return.status == ReturnStatus.OUTSTANDING,
        Return.school_id == School.id,
        ~owes,
    )
    one_too_many = one_too_many.correlate(Ask, Event)
    statement = sa.select(Event.id).join(Ask, Ask.event_id == Event.id).where(*_asks_to_come())
    return db.session.scalars(statement.where(sa.or_(one_more, one_too_many)).order_by(Event.day, Event.id)).all()


def silences(event: Event) -> dict[int, Silence]:
    """Return which schools, by id, want to hear no more of a closing date's kind in its school year."""
    year = school_year_of(event.day)
    rows = db.session.scalars(
        sa.select(Silence)
        .where(Silence.category_id == event.category_id, Silence.year == year)
        .options(joinedload(Silence.school))
    )
    return {row.school_id: row for row in rows}


def find_silence(row: Return) -> Silence | None:
    """Return that the school of a return wants to hear no more of its kind this school year; None where it does."""
    return db.session.get(Silence, (row.school_id, row.event.category_id, school_year_of(row.event.day)))


def answered_by_silence(row: Return) -> list[Return]:
    """Return what a school owes of the kind of a return, still to come, that was answered by "not this year"."""
    silence = find_silence(row)
    if silence is None:
        return []
    rows = db.session.scalars(
        sa.select(Return)
        .join(Return.event)
        .where(
            Return.school_id == row.school_id,
            Return.status == ReturnStatus.NOTHING,
            Return.answered_at >= silence.at,
            Event.category_id == row.event.category_id,
            Event.status == EventStatus.PUBLISHED,
            Event.day >= today(),
        )
        .options(joinedload(Return.event))
        .order_by(Return.id)
    )
    return [one for one in rows if school_year_of(one.event.day) == silence.year]


@dataclass(frozen=True, slots=True)
class Line:
    """One school of the board: its return, and who is written to; nobody is a problem."""

    row: Return
    contacts: tuple[SchoolContact, ...]


def board(event: Event, ask: Ask) -> list[Line]:
    """Return the returns of a closing date, each with the contacts of today; what is outstanding comes first."""
    rows = sorted(returns_of(event.id), key=lambda row: row.status is not ReturnStatus.OUTSTANDING)
    contacts = contacts_of([row.school_id for row in rows], ask.role, today())
    return [Line(row, tuple(contacts.get(row.school_id, ()))) for row in rows]


def to_remind(event: Event, role: ContactRole | None = None) -> list[tuple[Return, SchoolContact]]:
    """Return the outstanding returns of a closing date with the contacts to write to: for their role, or another.

    None where nothing is asked, and of those who must not answer, nobody above the role is written to.
    """
    ask = find_ask(event.id)
    if ask is None or ask.answer is Answer.NONE or (role is not None and ask.answer is Answer.OPTIONAL):
        return []
    rows = [row for row in returns_of(event.id) if row.status is ReturnStatus.OUTSTANDING]
    contacts = contacts_of([row.school_id for row in rows], role or ask.role, today())
    return [(row, contact) for row in rows for contact in contacts.get(row.school_id, ())]


def chased(message_id: int) -> Return | None:
    """Return the return that a mail chases, with its event; None where it has gone."""
    return db.session.scalar(
        sa.select(Return)
        .join(Chase, Chase.return_id == Return.id)
        .where(Chase.message_id == message_id)
        .options(joinedload(Return.event))
    )


def without_contact(event: Event) -> list[School]:
    """Return the schools that owe a return and have nobody to write to."""
    ask = find_ask(event.id)
    if ask is None or ask.answer is Answer.NONE:
        return []
    return [
        line.row.school
        for line in board(event, ask)
        if not line.contacts and line.row.status is ReturnStatus.OUTSTANDING
    ]


@dataclass(frozen=True, slots=True)
class Year:
    """How a closing date of the same kind ended before."""

    event: Event
    progress: Progress


def over_the_years(event: Event) -> list[Year]:
    """Return how the closing dates of the same kind that ask for an answer went, the newest first, this one too."""
    events = db.session.scalars(
        sa.select(Event)
        .join(Ask, Ask.event_id == Event.id)
        .where(
            Event.category_id == event.category_id,
            Event.kind == Kind.DEADLINE,
            Event.status == EventStatus.PUBLISHED,
            Event.day <= event.day,
            Ask.answer != Answer.NONE,
        )
        .order_by(Event.day.desc(), Event.id.desc())
        .limit(YEARS_SHOWN)
    ).all()
    found = progress_of(events)
    return [Year(one, found[one.id]) for one in events]


def closes_at(event: Event) -> datetime:
    """Return the instant at which a closing date closes: without a time, at the end of its day."""
    return event.ends_at if event.starts is None else event.starts_at


def coming_asks(area_id: int | None = None) -> Sequence[Event]:
    """Return the closing dates to come that ask something of schools."""
    chosen = _asks_to_come()
    if area_id is not None:
        chosen.append(Event.area_id == area_id)
    return db.session.scalars(
        sa.select(Event)
        .join(Ask, Ask.event_id == Event.id)
        .where(*chosen)
        .options(joinedload(Event.category))
        .order_by(Event.day, Event.id)
    ).all()


def _asks_to_come() -> list[sa.ColumnElement[bool]]:
    return [Event.status == EventStatus.PUBLISHED, Event.day >= today(), Ask.answer != Answer.NONE]


def coming_asks_of(group_id: int) -> Sequence[Event]:
    """Return the closing dates to come, drafts too, that ask the schools of a group."""
    return db.session.scalars(
        sa.select(Event)
        .join(ask_groups, ask_groups.c.event_id == Event.id)
        .where(ask_groups.c.group_id == group_id, Event.day >= today(), Event.status != EventStatus.CANCELLED)
        .order_by(Event.day, Event.id)
    ).all()


def progress_of(events: Sequence[Event]) -> Mapping[int, Progress]:
    """Return how far each of these closing dates is, by the event's id."""
    rows = db.session.scalars(sa.select(Return).where(Return.event_id.in_([one.id for one in events]))).all()
    return {
        one.id: progress([row for row in rows if row.event_id == one.id], closes_at=closes_at(one)) for one in events
    }
