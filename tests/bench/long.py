"""Every page of the organisers with a long history: two million messages, and a hundredth of all that."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import timedelta
from statistics import median
from time import perf_counter

import sqlalchemy as sa
from flask import Flask
from flask.testing import FlaskClient

from booking.bookings.models import Booking, Place
from booking.calendar.models import Event, EventStatus, Kind, Visibility
from booking.calendar.terms import school_year_of, year_name
from booking.core.audit import AuditEntry
from booking.core.clock import now, today
from booking.core.db import Base, db
from booking.deadlines.models import Answer, Ask, Return
from booking.digests.models import DigestCopy, DigestIssue, DigestSubscription, IssueState
from booking.directory.models import RoleName, School, SchoolContact
from booking.notifications.models import AddressPutAside, Message
from booking.reminders.models import Reminder, ReminderRule, ReminderRun
from tests.bench import report, stage
from tests.factories import make_event, make_group, make_organiser, sign_in
from tests.statements import statements

FEW, MANY = 20_000, 2_000_000
TIMES = 5
# What grows with the messages, one for so many of them; what stays a handful: schools, kinds, the coming events.
PER = {
    "addresses": 200,
    "events": 10_000,
    "bookings": 20,
    "people": 197,
    "log": 10,
    "put aside": 2_000,
    "contacts": 5_000,
}
ISSUES, OF_DIGESTS = 100, 5  # two in five mails are those of the weekly mail
DAYS_BACK = 730
Column = sa.ColumnElement[object]


@dataclass(frozen=True, slots=True)
class Ids:
    """The rows that pages are asked about."""

    event: int
    closing_date: int
    place: int
    message: int
    rule: int
    email: str
    week: str


def run() -> None:
    """Print how long each page takes with a hundredth and with all, and the ratio: three is too much."""
    report.heading(
        f"Each page of the organisers with {FEW:,} and with {MANY:,} messages",
        "With them grow the log, events, bookings, subscribers, what each issue of the weekly mail made of mails,",
        f"and the people of one event: {FEW // PER['people']:,} and {MANY // PER['people']:,}.",
        f"The median of {TIMES} through the test client, in a warm process. Files and the list to sign are not pages.",
    )
    for backend in stage.BACKENDS:
        times: dict[str, list[float]] = {}
        counts: dict[str, int] = {}
        for size in (FEW, MANY):
            with stage.database(backend) as (app, _):
                started = perf_counter()
                with app.app_context():
                    ids = fill(size)
                print(f"  {backend}: made in {perf_counter() - started:.0f} s", flush=True)
                client = app.test_client()
                with app.app_context():
                    sign_in(client, make_organiser(role=RoleName.ADMINISTRATOR))
                for name, path in pages(ids).items():
                    milliseconds, counts[name] = _measure(app, client, path)
                    times.setdefault(name, []).append(milliseconds)
        rows = [(f"{backend}, {name}", *both, both[1] / both[0], counts[name]) for name, both in times.items()]
        report.table(("", f"ms, {FEW:,}", f"ms, {MANY:,}", "ratio", "SQL"), rows)
        over = [row[0] for row in rows if row[3] >= 3]
        report.lines([f"Three times or more: {', '.join(over) or 'none'}"])


def pages(ids: Ids) -> Mapping[str, str]:
    """Return the pages by what they are called: all that a GET shows, once at least."""
    event, closing = f"/manage/events/{ids.event}", f"/manage/events/{ids.closing_date}"
    return {
        "desk": "/manage/",
        "outbox": "/manage/outbox/",
        "outbox, an older page": f"/manage/outbox/?after={ids.message}",
        "outbox, waiting": "/manage/outbox/?status=queued",
        "outbox, refused": "/manage/outbox/?status=failed",
        "outbox, not needed": "/manage/outbox/?status=dropped",
        "outbox, an address": f"/manage/outbox/?q={ids.email}",
        "outbox, how one begins": "/manage/outbox/?q=p1",
        "outbox, a part of one": "/manage/outbox/?q=7@school",
        "outbox, what nobody has": "/manage/outbox/?q=nobody-has-this",
        "one message": f"/manage/outbox/{ids.message}",
        "log": "/manage/log/",
        "log, an older page": f"/manage/log/?after={ids.message // PER['log']}",
        "log of an event": f"/manage/log/?event={ids.event}",
        "people": "/manage/people/",
        "events": "/manage/events/",
        "events, past": "/manage/events/?show=past",
        "events, found": "/manage/events/?show=past&q=old",
        "new event": "/manage/events/new",
        "event": f"{event}/",
        "event, edit": f"{event}/edit",
        "event, cancel": f"{event}/cancel",
        "event, reminders": f"{event}/reminders/",
        "event, invitations": f"{event}/invitations/",
        "event, invite": f"{event}/invitations/new",
        "who comes": f"{event}/places/",
        "who comes, found": f"{event}/places/?q=person",
        "who comes, waiting": f"{event}/places/?status=waiting",
        "write to them": f"{event}/places/message",
        "add somebody": f"{event}/places/add",
        "a place": f"{event}/places/{ids.place}/",
        "a place, edit": f"{event}/places/{ids.place}/edit",
        "a place, swap": f"{event}/places/{ids.place}/swap",
        "a place, move": f"{event}/places/{ids.place}/move",
        "a place, booking": f"{event}/places/{ids.place}/booking",
        "a place, cancel": f"{event}/places/{ids.place}/cancel",
        "returns": "/manage/returns/",
        "returns of a closing date": f"{closing}/returns/",
        "ask schools": f"{closing}/returns/ask",
        "schools": "/manage/schools/",
        "a school": "/manage/schools/1",
        "a contact": "/manage/schools/2/contacts/1",
        "a group of schools": "/manage/schools/groups/1",
        "new group": "/manage/schools/groups/new",
        "import contacts": "/manage/schools/import",
        "reminders": "/manage/reminders/",
        "reminders, coming": "/manage/reminders/coming",
        "reminders of a kind": "/manage/reminders/1",
        "weekly email": "/manage/digest/",
        "weekly email, copy": f"/manage/digest/{ids.week}/copy",
        "weekly email, when": "/manage/digest/when",
        "settings": "/manage/settings/",
        "settings, partnership": "/manage/settings/partnership",
        "settings, half terms": f"/manage/settings/half-terms/{year_name(school_year_of(today()))}",
        "settings, a kind": "/manage/settings/kinds/1",
        "settings, new kind": "/manage/settings/kinds/new",
        "settings, an audience": "/manage/settings/audiences/1",
        "settings, new audience": "/manage/settings/audiences/new",
        "settings, a venue": "/manage/settings/venues/1",
        "settings, new venue": "/manage/settings/venues/new",
        "public list": "/events/",
        "public list, past": "/events/?when=past",
        "api": "/api/v1/events",
    }


def _measure(app: Flask, client: FlaskClient, path: str) -> tuple[float, int]:
    """Return the median time of a page in milliseconds, and its statements."""
    client.get(path)
    times = []
    for _ in range(TIMES):
        with statements(app) as seen:
            started = perf_counter()
            answer = client.get(path)
            times.append(perf_counter() - started)
        assert answer.status_code == 200, (path, answer.status)
    return 1000 * median(times), report.without_begin(seen)


def fill(size: int) -> Ids:
    """Fill an empty database with so many messages and what grows with them, by a statement for each table."""
    stage.furnish()
    stage.add_events(range(100))
    event = make_event("A conference", in_days=40, capacity=None)
    closing_date = make_event("A closing date", in_days=20, kind=Kind.DEADLINE, takes_bookings=False)
    rule = ReminderRule(category_id=event.category_id, number=60, at=event.starts)
    db.session.add_all([rule, Ask(event_id=closing_date.id, answer=Answer.NONE)])
    db.session.commit()
    _past_events(size // PER["events"], event)
    _messages(size, event)
    _log(size // PER["log"], event)
    _bookings(size // PER["bookings"], size // PER["people"], event)
    _digests(size)
    _reminders(size // PER["people"], event, rule)
    _of_schools(size // PER["contacts"], closing_date)
    _put_aside(size // PER["put aside"])
    db.session.commit()
    if db.engine.dialect.name == "postgresql":  # as it does by itself; nobody does it on SQLite
        with db.engine.connect() as connection:
            connection.execution_options(isolation_level="AUTOCOMMIT").exec_driver_sql("ANALYZE")
    place = db.session.scalars(sa.select(Place.id).where(Place.event_id == event.id).order_by(Place.id)).first() or 0
    week = db.session.scalars(sa.select(DigestIssue.week).order_by(DigestIssue.week.desc())).first()
    ids = Ids(event.id, closing_date.id, place, size // 2, rule.id, "p1@school.example", str(week))
    db.session.remove()
    return ids


def _numbers(last: int) -> Column:
    numbers = sa.select(sa.literal(1).label("n")).cte("numbers", recursive=True)
    return numbers.union_all(sa.select(numbers.c.n + 1).where(numbers.c.n < last)).c.n


def _insert(model: type[Base], number: int, values: Mapping[str, object], n: Column) -> None:
    """Add rows 1 to this number, as a statement that the database carries out by itself."""
    if number < 1:
        return
    types = {column.name: column.type for column in model.__table__.columns}
    cells = [one if isinstance(one, sa.ColumnElement) else sa.literal(one, types[name]) for name, one in values.items()]
    db.session.execute(sa.insert(model).from_select(list(values), sa.select(*cells).select_from(n.table)))
    db.session.commit()


def _text(*parts: object) -> Column:
    whole: Column = sa.literal("")
    for part in parts:
        whole = whole + (sa.cast(part, sa.Text) if isinstance(part, sa.ColumnElement) else sa.literal(part))
    return whole


def _long_ago(n: Column, number: int) -> Column:
    """Return when row n of so many came, as each database keeps it: evenly over the years, the last one just now."""
    seconds = sa.literal(now().timestamp()) - (number - n) * sa.literal(DAYS_BACK * 86_400 / number)
    if db.engine.dialect.name == "sqlite":
        return sa.func.strftime("%Y-%m-%d %H:%M:%f000", seconds, "unixepoch")
    return sa.func.to_timestamp(seconds)


def _past_events(number: int, like: Event) -> None:
    shared = {"area_id": like.area_id, "category_id": like.category_id, "kind": Kind.SESSION, "takes_bookings": True}
    shared |= {
        "visibility": Visibility.PUBLIC,
        "status": EventStatus.PUBLISHED,
        "starts": like.starts,
        "ends": like.ends,
    }
    rows = [
        {**shared, "title": f"Of old ({one})", "day": today() - timedelta(days=1 + one % DAYS_BACK)}
        for one in range(number)
    ]
    db.session.add_all(Event(**row) for row in rows)
    db.session.commit()


def _messages(size: int, event: Event) -> None:
    n = _numbers(size)
    one_of = (sa.cast(n, sa.BigInteger) * 7919) % (size // PER["addresses"])
    status = sa.case((n > size - 200, "queued"), (n % 100 == 1, "failed"), (n % 100 == 2, "dropped"), else_="sent")
    values = {
        "id": n,
        "area_id": event.area_id,
        "event_id": sa.case((n % OF_DIGESTS < 2, None), else_=event.id + 2 + n % max(size // PER["events"], 1)),
        "kind": sa.case((n % OF_DIGESTS < 2, "digest"), else_="confirmed"),
        "to_email": _text("p", one_of, "@school.example"),
        "to_name": "Priya Nair",
        "from_name": "Vale & Marsh",
        "subject": _text("Booked: SENCo forum (", n % 97, "), Wednesday 16 June 2027, 1.30pm to 3.30pm"),
        "text": "",
        "html": "",
        "message_id": _text("<", n, "@example.org>"),
        "automatic": True,
        "priority": 1,
        "status": status,
        "created_at": _long_ago(n, size),
        "send_after": _long_ago(n, size),
        "tries": 1,
        "outcome": sa.case((n % 100 == 1, "550 5.1.1 No such user"), else_=None),
        "has_body": False,
    }
    _insert(Message, size, values, n)


def _log(number: int, event: Event) -> None:
    n = _numbers(number)
    values = {
        "at": _long_ago(n, number),
        "area_id": event.area_id,
        "actor_name": "Tom Okafor",
        "action": "opened the list of",
        "subject": "event",
        "subject_id": event.id + n % 10,
        "detail": {"message": "Parking"},
    }
    _insert(AuditEntry, number, values, n)


def _bookings(number: int, of_one: int, event: Event) -> None:
    """Add bookings of one place each at past events, and those of many people at one that comes."""
    n, events = _numbers(number), event.id + 2
    school = n % stage.SCHOOLS + 1
    at = sa.case((n <= of_one, event.id), else_=events + n % max(number * PER["bookings"] // PER["events"], 1))
    who = {"event_id": at, "name": _text("Person ", n), "email": _text("p", n, "@school.example"), "school_id": school}
    who |= {"key": _text("key ", n), "created_at": _long_ago(n, number)}
    booking = {"id": n, "reference": _text(n), "form_key": _text(n), "together": True, "needs": "", "revision": 1}
    _insert(Booking, number, {**who, **booking}, n)
    waits = sa.and_(n <= of_one, n % 20 == 0)
    place = {"booking_id": n, "attendee_key": _text("p", n, "@school.example|person ", n), "unlisted": False}
    place |= {"status": sa.case((waits, "waiting"), else_="confirmed"), "position": sa.case((waits, n), else_=None)}
    _insert(Place, number, {**who, **place}, n)
    event.taken, event.last_position = of_one - of_one // 20, of_one
    db.session.commit()


def _digests(size: int) -> None:
    """Add an issue a week, with the copies that are two in five messages, and those who get it."""
    area_id = db.session.scalars(sa.select(Event.area_id)).first()
    monday = today() - timedelta(days=today().weekday())
    for one in range(ISSUES):
        week = monday - timedelta(weeks=ISSUES - one)
        sent = {"state": IssueState.SENT, "sent_at": now() - timedelta(weeks=ISSUES - one), "told_on": week}
        db.session.add(DigestIssue(area_id=area_id, week=week, told_until=week, told=[], all_posted=True, **sent))
    db.session.commit()
    of_issue = Message.id * ISSUES // (size + 1) + 1
    copies = sa.select(of_issue, sa.cast(Message.id, sa.Text), Message.id, Message.created_at)
    into = ["issue_id", "email", "message_id", "created_at"]
    db.session.execute(sa.insert(DigestCopy).from_select(into, copies.where(Message.kind == "digest")))
    number = size * 2 // OF_DIGESTS // ISSUES
    n = _numbers(number)
    values = {"area_id": area_id, "email": _text("p", n, "@school.example"), "key": _text(n), "confirm_key": _text(n)}
    values |= {"asked_at": _long_ago(n, number + 100), "confirmed_at": now()}
    _insert(DigestSubscription, number, values, n)


def _reminders(number: int, event: Event, rule: ReminderRule) -> None:
    """Add the reminders that everybody at one event has had of it."""
    n, shared = _numbers(number), {"rule_id": rule.id, "event_id": event.id, "day": event.day, "extra": False}
    values = {**shared, "recipient": _text("p", n, "@school.example|person ", n), "message_id": n, "created_at": now()}
    _insert(Reminder, number, values, n)
    db.session.add(ReminderRun(**shared, fell_due=now()))
    db.session.commit()


def _of_schools(number: int, closing_date: Event) -> None:
    """Add contacts that were, and what each school owes for a closing date."""
    n, old = _numbers(number), today() - timedelta(days=400)
    values = {"school_id": n % stage.SCHOOLS + 1, "role": "senco", "name": _text("Contact ", n), "created_at": now()}
    values |= {"email": _text("c", n, "@school.example"), "starts_on": old, "ends_on": old + timedelta(days=30)}
    _insert(SchoolContact, number, values, n)
    schools = db.session.scalars(sa.select(School.id)).all()
    make_group()
    db.session.add_all(Return(event_id=closing_date.id, school_id=one) for one in schools)
    db.session.commit()


def _put_aside(number: int) -> None:
    n = _numbers(number)
    values = {
        "email": _text("p", n, "@school.example"),
        "since": _long_ago(n, number + 100),
        "reason": "550 No such user",
    }
    _insert(AddressPutAside, number, values, n)
