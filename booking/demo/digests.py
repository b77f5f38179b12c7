"""The weekly e-mail of the demonstration: who gets it, and what the last two issues told."""

from dataclasses import replace
from datetime import date, datetime, timedelta

import sqlalchemy as sa

from booking.calendar.models import Audience, Category
from booking.calendar.terms import monday_of
from booking.core.clock import now, today, wall
from booking.core.db import db
from booking.core.tokens import new_key
from booking.digests import queries
from booking.digests.actions import post_to, write_down
from booking.digests.models import DigestIssue, DigestPlan, DigestSubscription
from booking.digests.policy import WEEK, Edition
from booking.directory.models import Area
from booking.notifications.models import MessageStatus

INTRODUCTION = """Thank you for coming to the forum in such numbers.

- The **slides** are with your host school.
- Places at the conference are limited for each school: book early."""
# Who gets it, of which kinds, for which audiences.
SUBSCRIBERS: tuple[tuple[str, tuple[str, ...], tuple[str, ...]], ...] = (
    ("senco@example.org", (), ()),
    ("office@oakhurst.example.org", (), ()),
    ("grace.mensah@home.example.org", (), ("Parents and carers",)),
    ("head@fenwick-academy.example.org", ("High needs funding (LHNF)", "Returns and data"), ()),
)
ISSUES, LONG_AGO = 2, timedelta(days=90)


def add_digests(area: Area) -> None:
    """Add subscribers, and the issues of the last two weeks of school; the next one goes at its time."""
    db.session.add(DigestPlan(area_id=area.id, since=now()))
    db.session.flush()
    subscriptions = [_subscribe(area, *one) for one in SUBSCRIBERS]
    db.session.flush()
    first, last = _last_weeks(area)
    _make(area, *first, another=True)
    issue, edition = _make(area, *last)
    for subscription in subscriptions:
        message = post_to(subscription, issue, edition, useless_after=last[1] + timedelta(days=2))
        if message:
            message.created_at = message.send_after = message.sent_at = last[1]
            message.status, message.tries = MessageStatus.SENT, 1


def _subscribe(area: Area, email: str, kinds: tuple[str, ...], audiences: tuple[str, ...]) -> DigestSubscription:
    at = now() - LONG_AGO
    row = DigestSubscription(area=area, email=email, key=new_key(), confirm_key=new_key(), asked_at=at, confirmed_at=at)
    row.categories = list(db.session.scalars(sa.select(Category).where(Category.name.in_(kinds))))
    row.audiences = list(db.session.scalars(sa.select(Audience).where(Audience.name.in_(audiences))))
    db.session.add(row)
    return row


def _last_weeks(area: Area) -> list[tuple[date, datetime]]:
    """Return the last weeks with school before this one, each with when its issue went."""
    plan, week, found = queries.plan_of(area.id), monday_of(today()), list[tuple[date, datetime]]()
    while len(found) < ISSUES:
        week -= WEEK
        due = queries.due_at(area, plan, week)
        if due:
            found.append((week, due))
    return found[::-1]


def _make(area: Area, week: date, at: datetime, *, another: bool = False) -> tuple[DigestIssue, Edition]:
    """Add an issue that has gone; `another` one told something else than is so now, for the next to have news."""
    edition = queries.edition_now(area, queries.plan_of(area.id), week, on=wall(at).date())
    if another:
        edition = _before_it_changed(edition)
    issue = DigestIssue(area=area, week=week, introduction="" if another else INTRODUCTION, all_posted=True)
    write_down(issue, edition, at=at)
    db.session.add(issue)
    db.session.flush()
    return issue, edition


def _before_it_changed(edition: Edition) -> Edition:
    """Return an edition in which one event is not there yet, and one is a week later than it came to be."""
    coming = [one for one in edition.entries if one.visibility == "public" and one.day > today() + timedelta(days=14)]
    new, moved = coming[2:4]
    entries = (
        replace(one, day=one.day + WEEK, last_day=None) if one is moved else one
        for one in edition.entries
        if one is not new
    )
    return replace(edition, entries=tuple(entries))
