"""Reads of the digest: the calendar as an issue tells it, who gets it, what has gone."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass
from datetime import date, datetime, timedelta

import sqlalchemy as sa
from sqlalchemy.orm import InstrumentedAttribute, joinedload, selectinload

from booking.calendar import queries as calendar_queries
from booking.calendar.models import Event, EventStatus, Visibility
from booking.calendar.policy import Reader, visibilities
from booking.calendar.terms import monday_of, school_year_of
from booking.calendar.when import place_in_words
from booking.core.clock import on_the_wall
from booking.core.db import db
from booking.core.slices import MOST_COUNTED, Slice, Spot, count_some, cut
from booking.core.tokens import key_of
from booking.digests.models import (
    FOUR_WEEKS,
    HALF_PAST_SEVEN,
    MONDAY,
    DigestCopy,
    DigestIssue,
    DigestPlan,
    DigestSubscription,
    IssueState,
)
from booking.digests.policy import USEFUL_FOR, WEEK, Choice, Edition, Entry, entry_from, goes_on, headings_of
from booking.directory.models import Area
from booking.directory.queries import find_person, is_staff
from booking.notifications.models import Message
from booking.reminders.planning import kind_hours

CONFIRM_LINK, OWN_LINK = "confirm a digest", "digest"
GUESTS = visibilities(Reader())
STAFF = visibilities(Reader(staff=True))
WEEKS_LOOKED_AHEAD = 20
ISSUES_PER_PAGE, MOST_SUBSCRIBERS = 10, 10_000


def plan_of(area_id: int) -> DigestPlan:
    """Return when an area's digest goes; the usual plan, as a row of no session, where none was made."""
    usual = {"active": True, "weekday": MONDAY, "at": HALF_PAST_SEVEN, "weeks": FOUR_WEEKS}
    return db.session.get(DigestPlan, area_id) or DigestPlan(area_id=area_id, **usual)


def due_at(area: Area, plan: DigestPlan, week: date) -> datetime | None:
    """Return the instant at which the digest of a week goes, within kind hours; None in a week without school."""
    hours = kind_hours(area, week)
    day = goes_on(week, plan.weekday, hours.is_school_day)
    return on_the_wall(day, hours.clamp(plan.at)) if day else None


def edition_now(area: Area, plan: DigestPlan, week: date, *, on: date) -> Edition:
    """Return what the issue of a week would tell of the calendar as it is now, if it were made on this day."""
    until = monday_of(on) + plan.weeks * WEEK - timedelta(days=1)
    last = last_sent(area.id, before=week)
    terms = calendar_queries.half_terms_around(area.id, school_year_of(on))
    before = _entries(last.told) if last else None
    return Edition(on, until, calendar_from(area.id, on), before, headings_of(on, until, terms))


def edition_of(issue: DigestIssue) -> Edition:
    """Return what an issue that was sent told, without what is not for its readers any more."""
    assert issue.told_on is not None
    assert issue.told_until is not None
    since = db.session.get(DigestIssue, issue.since_id) if issue.since_id else None
    seen = _visibilities_now([stored["id"] for stored in issue.told])
    entries = tuple(one for one in _entries(issue.told) if _at_least(seen.get(one.id), one.visibility))
    headings = {date.fromisoformat(monday): words for monday, words in issue.headings.items()}
    return Edition(issue.told_on, issue.told_until, entries, _entries(since.told) if since else None, headings)


def _entries(told: Sequence[dict[str, object]]) -> tuple[Entry, ...]:
    return tuple(entry_from(one) for one in told)


def _at_least(now: Visibility | None, then: str) -> bool:
    """Tell whether whoever was told of an event may still see it."""
    return now is not None and (now is Visibility.PUBLIC or now == then)


def _visibilities_now(event_ids: Collection[int]) -> dict[int, Visibility]:
    rows = db.session.execute(
        sa.select(Event.id, Event.visibility).where(Event.id.in_(event_ids), Event.status != EventStatus.DRAFT)
    )
    return {row[0]: row[1] for row in rows}


def calendar_from(area_id: int, day: date) -> tuple[Entry, ...]:
    """Return all that people outside the team see of an area's calendar from a day on, cancelled events too."""
    events = db.session.scalars(
        sa.select(Event)
        .where(
            calendar_queries.visible(area_id, Reader(staff=True)),
            sa.func.coalesce(Event.last_day, Event.day) >= day,
        )
        .options(*calendar_queries.WITH_ITS_PARTS, selectinload(Event.audiences))
        .order_by(*calendar_queries.IN_ORDER)
    )
    return tuple(_entry(event) for event in events)


def _entry(event: Event) -> Entry:
    return Entry(
        id=event.id,
        title=event.title,
        kind=event.kind.value,
        visibility=event.visibility.value,
        is_cancelled=event.is_cancelled,
        day=event.day,
        last_day=event.last_day,
        starts=event.starts,
        ends=event.ends,
        place=place_in_words(event),
        category_id=event.category_id,
        category=event.category.name,
        letters=event.category.letters,
        colour=event.category.colour,
        audience_ids=tuple(audience.id for audience in event.audiences),
    )


def visibilities_for(area_id: int, email: str) -> frozenset[Visibility]:
    """Return what the owner of a confirmed address sees: what is for staff, if they are and have signed in with it."""
    person = find_person(email)
    return STAFF if person and is_staff(person, area_id) else GUESTS


def choice_of(subscription: DigestSubscription) -> Choice:
    """Return what a subscriber wants to hear of."""
    return Choice(
        frozenset(one.id for one in subscription.categories), frozenset(one.id for one in subscription.audiences)
    )


def find_issue(area_id: int, week: date) -> DigestIssue | None:
    """Return the issue of a week (its Monday)."""
    return db.session.scalar(sa.select(DigestIssue).where(DigestIssue.area_id == area_id, DigestIssue.week == week))


def last_sent(area_id: int, *, before: date | None = None) -> DigestIssue | None:
    """Return the newest issue that was sent, or the one sent before the issue of a week."""
    chosen = [DigestIssue.area_id == area_id, DigestIssue.state == IssueState.SENT]
    if before:
        chosen.append(DigestIssue.week < before)
    return db.session.scalar(sa.select(DigestIssue).where(*chosen).order_by(DigestIssue.week.desc()).limit(1))


def last_settled(area_id: int) -> DigestIssue | None:
    """Return the newest issue that was sent or dropped."""
    settled = DigestIssue.state.in_([IssueState.SENT, IssueState.DROPPED])
    return db.session.scalar(
        sa.select(DigestIssue).where(DigestIssue.area_id == area_id, settled).order_by(DigestIssue.week.desc()).limit(1)
    )


def issues_of(area_id: int, *, at: Spot) -> Slice[DigestIssue]:
    """Return a page of the issues that were sent, dropped or held over, the newest first."""
    chosen = sa.select(DigestIssue).where(DigestIssue.area_id == area_id, DigestIssue.state != IssueState.PLANNED)
    return cut(chosen, DigestIssue.week, DigestIssue.id, at=at, downwards=True, limit=ISSUES_PER_PAGE)


@dataclass(frozen=True, slots=True)
class Numbers:
    """How many mails of an issue wait, were refused, or were not wanted any more; as far as they are counted."""

    waiting: int
    failed: int
    dropped: int

    @property
    def are_all(self) -> bool:
        """Whether each is the whole number: the others of the issue's mails were sent then."""
        return max(self.waiting, self.failed, self.dropped) <= MOST_COUNTED


def numbers_of(issues: Sequence[DigestIssue]) -> dict[int, Numbers]:
    """Return what became of the mails of each of these issues that were sent, but for those that went.

    An issue's mails are made, and made again, in the days in which it is of use: so the few that did not go are found
    by when they were made, whatever else failed in years.
    """
    counts = {(one.id, kind): _counted(one, stands) for one in issues if one.sent_at for kind, stands in _STAND.items()}
    if not counts:
        return {}
    row = db.session.execute(sa.select(*counts.values())).one()
    found = dict(zip(counts, tuple(row), strict=True))
    ids = {issue_id for issue_id, _ in counts}
    return {one: Numbers(found[one, "waiting"], found[one, "failed"], found[one, "dropped"]) for one in ids}


# As the indexes of such messages have it: as text of the statement.
_STAND = {
    "waiting": sa.text("messages.status IN ('queued', 'claimed')"),
    "failed": sa.text("messages.status = 'failed'"),
    "dropped": sa.text("messages.status = 'dropped'"),
}


def _counted(issue: DigestIssue, stands: sa.TextClause) -> sa.ScalarSelect[int]:
    assert issue.sent_at is not None
    carries = sa.exists().where(DigestCopy.message_id == Message.id, DigestCopy.issue_id == issue.id)
    made = Message.created_at.between(issue.sent_at, issue.sent_at + USEFUL_FOR)
    some = sa.select(sa.literal(1)).where(stands, Message.area_id == issue.area_id, made, carries)
    return sa.select(sa.func.count()).select_from(some.limit(MOST_COUNTED + 1).subquery()).scalar_subquery()


def _active(area_id: int) -> list[sa.ColumnElement[bool]]:
    return [
        DigestSubscription.area_id == area_id,
        DigestSubscription.confirmed_at.is_not(None),
        DigestSubscription.ended_at.is_(None),
    ]


def count_subscribers(area_id: int, *, before: datetime | None = None) -> int:
    """Return how many addresses get the digest, or got it before an instant; as far as they are counted."""
    chosen = _active(area_id)
    if before:
        chosen.append(DigestSubscription.confirmed_at < before)
    return count_some(*chosen, most=MOST_SUBSCRIBERS)


def not_seen_to(issue: DigestIssue, *, limit: int) -> Sequence[DigestSubscription]:
    """Return some of the subscribers who had confirmed when an issue went and have not been seen to."""
    has_one = sa.exists().where(DigestCopy.issue_id == issue.id, DigestCopy.email == DigestSubscription.email)
    return db.session.scalars(
        sa.select(DigestSubscription)
        .where(*_active(issue.area_id), DigestSubscription.confirmed_at <= issue.sent_at, ~has_one)
        .options(selectinload(DigestSubscription.audiences), selectinload(DigestSubscription.categories))
        .order_by(DigestSubscription.id)
        .limit(limit)
    ).all()


def unfinished(area_id: int) -> DigestIssue | None:
    """Return the issue of which not everybody has been seen to."""
    return db.session.scalar(
        sa.select(DigestIssue)
        .where(DigestIssue.area_id == area_id, DigestIssue.state == IssueState.SENT, ~DigestIssue.all_posted)
        .options(joinedload(DigestIssue.area))
        .order_by(DigestIssue.week)
        .limit(1)
    )


def find_subscription(area_id: int, email: str) -> DigestSubscription | None:
    """Return the subscription of an address, whatever became of it."""
    return db.session.scalar(
        sa.select(DigestSubscription).where(DigestSubscription.area_id == area_id, DigestSubscription.email == email)
    )


def subscription_by_link(token: str) -> tuple[bool, DigestSubscription | None]:
    """Return whether a link to change or to stop is one of ours, and whose it is; nobody's where that is long gone."""
    return _behind(OWN_LINK, token, DigestSubscription.key)


def subscription_to_confirm(token: str) -> tuple[bool, DigestSubscription | None]:
    """Return whether a link to confirm is one of ours, and what it confirms; nothing where a newer one replaced it."""
    return _behind(CONFIRM_LINK, token, DigestSubscription.confirm_key)


def _behind(purpose: str, token: str, column: InstrumentedAttribute[str]) -> tuple[bool, DigestSubscription | None]:
    key = key_of(purpose, token)
    found = db.session.scalar(sa.select(DigestSubscription).where(column == key)) if key else None
    return key is not None, found


def carried_by(message: Message) -> tuple[DigestIssue, DigestSubscription | None] | None:
    """Return the issue that a message carries, and the subscription of its reader while it lasts."""
    issue = db.session.scalar(
        sa.select(DigestIssue)
        .join(DigestCopy, DigestCopy.issue_id == DigestIssue.id)
        .where(DigestCopy.message_id == message.id)
        .options(joinedload(DigestIssue.area))
    )
    if issue is None:
        return None
    found = find_subscription(issue.area_id, message.to_email)
    return issue, found if found and found.is_active else None


def areas() -> Sequence[Area]:
    """Return every area."""
    return db.session.scalars(sa.select(Area).order_by(Area.id)).all()
