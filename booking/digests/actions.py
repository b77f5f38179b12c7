"""Send each week's issue once, take subscriptions, and say before sending whether a mail is still wanted."""

from collections.abc import Collection
from dataclasses import dataclass
from datetime import date, datetime, time, timedelta

import sqlalchemy as sa

from booking.calendar.models import Audience, Category
from booking.calendar.terms import monday_of
from booking.calendar.wording import say_time
from booking.core import audit
from booking.core.clock import now, today, wall
from booking.core.db import atomic, db, one_by_one, take_turns
from booking.core.errors import refuse_unless
from booking.core.text import email_key, paragraphs
from booking.core.tokens import new_key
from booking.digests import mail, queries
from booking.digests.models import MOST_WEEKS, DigestCopy, DigestIssue, DigestPlan, DigestSubscription, IssueState
from booking.digests.policy import USEFUL_FOR, WEEK, Edition, is_too_late
from booking.digests.wording import say_plan
from booking.directory.models import Area, Person
from booking.notifications import outbox
from booking.notifications.models import Message
from booking.notifications.outbox import Words
from booking.notifications.verdict import Drop, Verdict

AT_ONCE = 50
LONGEST_INTRODUCTION = 5_000
CONFIRM_WITHIN = timedelta(days=7)
# Whoever types in an address, known or not: its owner is written to this often at most.
MAIL_AGAIN_AFTER = timedelta(hours=1)
# A stopped subscription is kept so that the button of an old mail still answers.
KEPT_AFTER_THE_END = timedelta(days=365)
WEEKS_BACK = 8
TOO_LATE, NOTHING_TO_SAY = "it would have come more than two days late", "there was nothing to say"
GONE = "This issue has gone already, or was left out."


def send_due() -> int:
    """Queue the digests that are due, area by area. Returns how many subscribers were seen to.

    What is due is derived from rows, so any number of processes may do this, at any time; what one leaves undone
    another finishes.
    """
    ids = [area.id for area in queries.areas() if _due(area) or queries.unfinished(area.id)]  # read without a lock
    db.session.rollback()
    return one_by_one(ids, _see_to, "the digest of area %s cannot be queued")


def _see_to(area_id: int) -> int:
    settle_due(area_id)
    seen_to = 0
    while queries.unfinished(area_id):
        seen_to += post_some(area_id)
    return seen_to


def _due(area: Area) -> list[tuple[date, datetime]]:
    """Return the weeks whose issue fell due and is neither sent, dropped nor held, with when it did."""
    plan, this_week = queries.plan_of(area.id), monday_of(today())
    if not plan.active:
        return []
    last = queries.last_settled(area.id)
    first = max(last.week + WEEK, this_week - WEEKS_BACK * WEEK) if last else this_week
    found = []
    while first <= this_week:
        due, issue = queries.due_at(area, plan, first), queries.find_issue(area.id, first)
        is_open = issue is None or issue.state is IssueState.PLANNED
        if due and is_open and due <= now() and (plan.since is None or plan.since <= due):
            found.append((first, due))
        first += WEEK
    return found


@atomic
def settle_due(area_id: int) -> None:
    """Send the issue that is due, and drop those that would come too late, each once."""
    _take_turns(area_id)
    area = db.session.get_one(Area, area_id)
    for week, due in _due(area):
        if not is_too_late(due, now()):
            _tell(area, _issue(area, week))
        elif queries.find_issue(area.id, week) or queries.count_subscribers(area.id, before=due):
            _drop(_issue(area, week), TOO_LATE)  # where nobody waited for it there is nothing to say of it


def _take_turns(area_id: int) -> None:
    take_turns(f"digest of area {area_id}")


def _issue(area: Area, week: date) -> DigestIssue:
    """Return the issue of a week; planned where there is none yet."""
    found = queries.find_issue(area.id, week)
    if found is None:
        found = DigestIssue(area=area, week=week, state=IssueState.PLANNED)
        db.session.add(found)
        db.session.flush()
    return found


def _drop(issue: DigestIssue, why: str) -> None:
    issue.state, issue.why_not = IssueState.DROPPED, why


def _tell(area: Area, issue: DigestIssue) -> None:
    """Write down what an issue tells as things are now: from here on it is public, and its mails are due."""
    edition = queries.edition_now(area, queries.plan_of(area.id), issue.week, on=today())
    if not issue.introduction and edition.read_by(queries.STAFF).is_empty:
        _drop(issue, NOTHING_TO_SAY)
        return
    write_down(issue, edition, at=now())


def write_down(issue: DigestIssue, edition: Edition, *, at: datetime) -> None:
    """Keep what an issue tells. Belongs inside an action."""
    since = queries.last_sent(issue.area_id, before=issue.week)
    issue.state, issue.sent_at, issue.why_not = IssueState.SENT, at, ""
    issue.told_on, issue.told_until = edition.on, edition.until
    issue.told = [entry.as_json() for entry in edition.entries]
    issue.headings = {monday.isoformat(): words for monday, words in edition.headings.items()}
    issue.since_id = since.id if since else None


@atomic
def post_some(area_id: int, *, limit: int = AT_ONCE) -> int:
    """Queue the mails of an unfinished issue for the next few subscribers. Returns how many were seen to.

    Where nobody is left, or it is too late for them, the issue is finished.
    """
    _take_turns(area_id)
    issue = queries.unfinished(area_id)
    if issue is None:
        return 0
    assert issue.sent_at is not None
    useless_after = issue.sent_at + USEFUL_FOR
    some = [] if now() >= useless_after else queries.not_seen_to(issue, limit=limit)
    issue.all_posted = not some
    edition = queries.edition_of(issue)
    for subscription in some:
        post_to(subscription, issue, edition, useless_after=useless_after)
    return len(some)


def post_to(
    subscription: DigestSubscription, issue: DigestIssue, edition: Edition, *, useless_after: datetime
) -> Message | None:
    """Queue an issue for a subscriber where it says anything to them, and write it down. Belongs inside an action."""
    message = mail.post_issue(issue, edition, subscription, useless_after=useless_after)
    db.session.flush()
    message_id = message.id if message else None
    issue.mails += message is not None
    db.session.add(DigestCopy(issue_id=issue.id, email=subscription.email, message_id=message_id, created_at=now()))
    return message


def still_wanted(message: Message) -> Verdict:
    """Return why a digest should not go any more; None for that it goes, and for any other message.

    It says on top what is so by now: a school may have answered since it was queued.
    """
    if message.kind != mail.KIND:
        return None
    carried = queries.carried_by(message)
    if carried is None:
        return Drop("the issue that it is of is gone")
    issue, subscription = carried
    if subscription is None:
        return Drop("they do not want this e-mail any more")
    words = mail.words_now(issue, queries.edition_of(issue), subscription)
    if words is None:
        return Drop("nothing in it is of use any more")
    if words != Words(message.subject, message.text, message.html):
        outbox.rewrite(message, words)
    return None


@dataclass(frozen=True, slots=True)
class Chosen:
    """What somebody wants to hear of; nothing chosen is everything."""

    categories: Collection[Category] = ()
    audiences: Collection[Audience] = ()


@atomic
def ask(area: Area, email: str, chosen: Chosen) -> None:
    """Take a wish for the digest: nothing comes of it before it is confirmed from the mailbox.

    Who gets it already is told so by mail, and how to change it. The answer is the same, so that nobody finds out
    by it who gets what.
    """
    email = email_key(email)
    take_turns(f"digest subscription of {email}")
    found = queries.find_subscription(area.id, email)
    lately = found is not None and found.mailed_at is not None and found.mailed_at > now() - MAIL_AGAIN_AFTER
    if found is None:
        found = DigestSubscription(area=area, email=email, key=new_key(), confirm_key=new_key())
        db.session.add(found)
    if found.is_active:
        if not lately:
            found.mailed_at = now()
            mail.known(found)
        return
    if found.ended_at is not None:
        found.confirmed_at = found.ended_at = None
        lately = False
    _choose(found, chosen)
    if lately:
        return  # the link that is on its way confirms what was chosen last
    found.confirm_key, found.asked_at, found.mailed_at = new_key(), now(), now()
    db.session.flush()
    mail.confirm(found, good_until=found.asked_at + CONFIRM_WITHIN)


def _choose(subscription: DigestSubscription, chosen: Chosen) -> None:
    subscription.categories, subscription.audiences = list(chosen.categories), list(chosen.audiences)


def may_confirm(subscription: DigestSubscription) -> bool:
    """Tell whether the link in the mail is still good."""
    return subscription.ended_at is None and now() < subscription.asked_at + CONFIRM_WITHIN


@atomic
def confirm(subscription: DigestSubscription) -> None:
    """Begin to send the digest to an address; a second press changes nothing. Raises Refused where it is too late."""
    _hold(subscription)
    if subscription.is_active:
        return
    refuse_unless(may_confirm(subscription), "This link is not good any more. Ask for a new one.")
    subscription.confirmed_at = now()


def _hold(subscription: DigestSubscription) -> None:
    """Let nobody else change a subscription, and read it afresh."""
    take_turns(f"digest subscription of {subscription.email}")
    db.session.refresh(subscription)


@atomic
def change(subscription: DigestSubscription, chosen: Chosen) -> None:
    """Change what a subscriber hears of. Raises Refused where they have stopped it meanwhile."""
    _hold(subscription)
    refuse_unless(subscription.is_active, "This e-mail has been stopped. Ask for it anew.")
    _choose(subscription, chosen)


@atomic
def stop(subscription: DigestSubscription) -> None:
    """End a subscription; a second press changes nothing. What is queued does not go any more."""
    _hold(subscription)
    if subscription.ended_at is None:
        subscription.ended_at = now()


@atomic
def set_own(area: Area, person: Person, chosen: Chosen | None) -> None:
    """Set what a signed-in person gets, or with None nothing: their address is proved."""
    take_turns(f"digest subscription of {person.email}")
    found = queries.find_subscription(area.id, person.email)
    if chosen is None:
        if found is not None and found.ended_at is None:
            found.ended_at = now()
        return
    if found is None:
        found = DigestSubscription(area=area, email=person.email, key=new_key(), confirm_key=new_key(), asked_at=now())
        db.session.add(found)
    if not found.is_active:
        found.confirmed_at, found.ended_at = now(), None
    _choose(found, chosen)


@atomic
def forget_old_wishes() -> int:
    """Remove what nobody confirmed, and what ended long ago. Returns how many."""
    unconfirmed = sa.and_(
        DigestSubscription.confirmed_at.is_(None), DigestSubscription.asked_at < now() - CONFIRM_WITHIN
    )
    over = DigestSubscription.ended_at < now() - KEPT_AFTER_THE_END
    result = db.session.execute(sa.delete(DigestSubscription).where(sa.or_(unconfirmed, over)))
    return int(result.rowcount)  # type: ignore[attr-defined]


@dataclass(frozen=True, slots=True)
class PlanValues:
    """When an organiser wants the digest to go."""

    active: bool
    weekday: int
    at: time
    weeks: int


@atomic
def set_plan(area: Area, values: PlanValues, *, by: Person) -> None:
    """Set when the digest goes. Nothing goes for a time before. Raises Refused."""
    _take_turns(area.id)
    refuse_unless(
        area.kind_from <= values.at <= area.kind_until,
        f"Choose a time within the kind hours, {say_time(area.kind_from)} to {say_time(area.kind_until)}.",
        field="at",
    )
    refuse_unless(1 <= values.weeks <= MOST_WEEKS, f"Choose 1 to {MOST_WEEKS} weeks.", field="weeks")
    plan = db.session.get(DigestPlan, area.id)
    if plan is None:
        plan = DigestPlan(area_id=area.id)
        db.session.add(plan)
    plan.active, plan.weekday, plan.at, plan.weeks = values.active, values.weekday, values.at, values.weeks
    plan.since = now()
    said = say_plan(plan) if plan.active else "off"
    audit.record("set when the digest goes in", "area", area.id, by=by, area_id=area.id, goes=said)


def next_week(area: Area) -> tuple[date, datetime] | None:
    """Return the week of the issue that organisers prepare, and when it goes; None where no school is in sight.

    An issue that is held stays the next one until its week is over.
    """
    plan, week = queries.plan_of(area.id), monday_of(today())
    for _ in range(queries.WEEKS_LOOKED_AHEAD):
        due, issue = queries.due_at(area, plan, week), queries.find_issue(area.id, week)
        state = issue.state if issue else IssueState.PLANNED
        begins = plan.since is None or due is None or plan.since <= due
        to_come = due is not None and begins and not is_too_late(due, now())
        if due and (state is IssueState.HELD or (state is IssueState.PLANNED and to_come)):
            return week, due
        week += WEEK
    return None


def _open_issue(area: Area, week: date) -> DigestIssue:
    """Return the issue of a week that can still be changed. Raises Refused."""
    issue = _issue(area, week)
    refuse_unless(issue.state in {IssueState.PLANNED, IssueState.HELD}, GONE)
    return issue


@atomic
def introduce(area: Area, week: date, text: str, *, by: Person) -> None:
    """Set the introduction of an issue that has not gone. Raises Refused."""
    _take_turns(area.id)
    text = paragraphs(text)
    refuse_unless(
        len(text) <= LONGEST_INTRODUCTION, f"Use at most {LONGEST_INTRODUCTION:,} letters.", field="introduction"
    )
    issue = _open_issue(area, week)
    if issue.introduction != text:
        issue.introduction = text
        _record("wrote the introduction of", issue, by)


@atomic
def hold(area: Area, week: date, *, by: Person) -> None:
    """Keep an issue from going by itself. Raises Refused."""
    _take_turns(area.id)
    issue = _open_issue(area, week)
    if issue.state is not IssueState.HELD:
        issue.state = IssueState.HELD
        _record("held", issue, by)


@atomic
def let_go(area: Area, week: date, *, by: Person) -> bool:
    """Let a held issue go at its time, or at once where that has passed. Returns whether it went. Raises Refused."""
    _take_turns(area.id)
    issue = _open_issue(area, week)
    if issue.state is IssueState.HELD:
        issue.state = IssueState.PLANNED
        _record("let go", issue, by)
    due = queries.due_at(area, queries.plan_of(area.id), week)
    if due is None or due > now():
        return False
    _tell_or_refuse(area, issue)
    return True


@atomic
def send_now(area: Area, week: date, *, by: Person) -> None:
    """Send an issue at once instead of at its time. Raises Refused where there is nothing in it."""
    _take_turns(area.id)
    issue = _open_issue(area, week)
    _tell_or_refuse(area, issue)
    _record("sent", issue, by)


def _tell_or_refuse(area: Area, issue: DigestIssue) -> None:
    _tell(area, issue)
    refuse_unless(
        issue.state is IssueState.SENT, "There is nothing in it yet. Write an introduction, or publish some dates."
    )


def _record(what: str, issue: DigestIssue, by: Person) -> None:
    audit.record(f"{what} the digest of", "digest", issue.id, by=by, area_id=issue.area_id, week=issue.week.isoformat())


@atomic
def send_test(area: Area, week: date, introduction: str, *, to: Person) -> None:
    """Mail an issue as it would be now to who asks for it."""
    edition = queries.edition_now(area, queries.plan_of(area.id), week, on=_made_on(area, week))
    mail.test_to(area, edition, introduction, to)


def _made_on(area: Area, week: date) -> date:
    """Return the day an issue will be made on, for a look at it before."""
    due = queries.due_at(area, queries.plan_of(area.id), week)
    return max(today(), wall(due).date()) if due else today()


def preview(area: Area, week: date) -> Edition:
    """Return what the issue of a week would tell on the day it goes, as the calendar is now."""
    return queries.edition_now(area, queries.plan_of(area.id), week, on=_made_on(area, week))
