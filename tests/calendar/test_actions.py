"""What organisers do to events, and how the calendar's version follows."""

from dataclasses import asdict, replace
from datetime import UTC, date, datetime, time, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from booking.bookings import actions as bookings
from booking.bookings.attendees import Contact, NewPlace
from booking.calendar import actions
from booking.calendar.actions import EventValues, Stale
from booking.calendar.catalogue import KindValues, VenueValues, save_category, save_venue
from booking.calendar.models import (
    Audience,
    Event,
    EventStatus,
    Kind,
    Promotion,
    Series,
    Term,
    Venue,
    Visibility,
    WhoMayBook,
    event_audiences,
)
from booking.calendar.rules import BookingRules, rules_of
from booking.calendar.wording import say_day
from booking.core.audit import AuditEntry
from booking.core.clock import now
from booking.core.db import atomic, db
from booking.core.errors import Refused
from booking.directory.models import Area, Person
from tests.factories import (
    make_audience,
    make_booking,
    make_category,
    make_event,
    make_organiser,
    make_venue,
    save,
    the_area,
    values_of,
)

pytestmark = pytest.mark.both_databases

WHEN = datetime(2026, 11, 24, 10, 0, tzinfo=UTC)
LATER = WHEN + timedelta(hours=1)
DRAFT = {"status": EventStatus.DRAFT}


@pytest.fixture(autouse=True)
def _at_ten(in_app: Flask):
    with time_machine.travel(WHEN, tick=False):
        yield


@pytest.fixture
def tom(in_app: Flask) -> Person:
    return make_organiser()


def said(**values) -> EventValues:
    given = {
        "title": "SENCo forum (1)",
        "category_id": make_category().id,
        "kind": Kind.SESSION,
        "visibility": Visibility.PUBLIC,
        "private": False,
        "audience_ids": (),
        "day": date(2027, 3, 8),
        "last_day": None,
        "starts": time(13, 30),
        "ends": time(15, 30),
        "venue": "",
        "description": "",
        "cost": "",
        "joining_link": "",
        "takes_bookings": True,
        "capacity": 30,
        "places_per_booking": 10,
        "closes_at": None,
    }
    return EventValues(**{**given, **values})


def row(event: Event) -> dict:
    """The event's row as the database has it, without the column that is written to lock it."""
    found = db.session.execute(sa.select(Event.__table__).where(Event.__table__.c.id == event.id)).mappings().one()
    return {name: value for name, value in found.items() if name != "lock_count"}


def everything() -> dict[str, list]:
    """All rows that an action of this module could change."""
    tables = ("events", "event_audiences", "event_hosts", "venues", "series", "areas", "audit_entries", "messages")
    found = {}
    for name in tables:
        table = db.metadata.tables[name]
        columns = [column for column in table.columns if column.name != "lock_count"]
        found[name] = sorted(map(repr, db.session.execute(sa.select(*columns)).all()))
    db.session.rollback()
    return found


def version(area_id: int = 1) -> int:
    return db.session.scalar(sa.select(Area.calendar_version).where(Area.id == area_id))


def log() -> list[tuple[str, str, int | None, str, dict]]:
    return [
        (line.actor_name, line.action, line.subject_id, line.subject, line.detail)
        for line in db.session.scalars(sa.select(AuditEntry).order_by(AuditEntry.id))
    ]


def edit(event: Event, by: Person | None = None, revision: int | None = None, **changes) -> dict[str, list[str]]:
    wanted = replace(values_of(event), **changes)
    return actions.edit_event(event, wanted, by=by, revision=event.revision if revision is None else revision)


def test_what_an_organiser_says_becomes_a_draft(tom: Person) -> None:
    sencos, heads = make_audience("SENCos"), make_audience("Headteachers")
    make_audience("Parents")
    values = said(
        title="  SENCo\r\nforum\t(1) ",
        description="One\r\n\r\nTwo\x00 ",
        cost=" £10\nfor lunch",
        joining_link=" https://meet.example.org/x ",
        venue="  oak   SUITE ",
        audience_ids=(heads.id, sencos.id, 9999),
        closes_at=datetime(2027, 3, 5, 12, 0, tzinfo=UTC),
        private=True,
        visibility=Visibility.STAFF,
    )
    event = actions.create_event(the_area(), values, by=tom)
    found = row(event)
    assert found == {
        "id": event.id,
        "area_id": the_area().id,
        "category_id": values.category_id,
        "venue_id": event.venue.id,
        "kind": Kind.SESSION,
        "visibility": Visibility.STAFF,
        "status": EventStatus.DRAFT,
        "private": True,
        "title": "SENCo forum (1)",
        "description": "One\n\nTwo",
        "cost": "£10 for lunch",
        "day": date(2027, 3, 8),
        "starts": time(13, 30),
        "ends": time(15, 30),
        "last_day": None,
        "joining_link": "https://meet.example.org/x",
        "takes_bookings": True,
        "capacity": 30,
        "places_per_booking": 10,
        "closes_at": datetime(2027, 3, 5, 12, 0, tzinfo=UTC),
        "taken": 0,
        "last_position": 0,
        "own_reminders": False,
        "uid": event.uid,
        "sequence": 0,
        "changed_at": WHEN,
        "revision": 1,
        "created_at": WHEN,
        "published_at": None,
        "cancelled_at": None,
        "cancel_note": "",
        "import_key": None,
        "own_visibility": True,
        "opens_at": None,
        "who_may_book": WhoMayBook.ANYONE,
        "schools_first_until": None,
        "invitation_key": None,
        "per_school": None,
        "per_school_until": None,
        "promotion": Promotion.AUTOMATIC,
        "offer_hours": 48,
        "promotion_paused": False,
        "late_places_go_on": False,
        "changes_until_hours": 0,
        "link_in_invitation": True,
        "series_id": None,
        "closes_for_id": None,
        "settle_at": None,
    }
    assert {audience.name for audience in event.audiences} == {"SENCos", "Headteachers"}
    assert (event.venue.name, event.venue.is_online) == ("oak SUITE", False)
    assert log() == [("Tom Okafor", "created", event.id, "event", {"title": "SENCo forum (1)"})]


def test_only_a_session_takes_bookings(tom: Person) -> None:
    values = said(kind=Kind.DEADLINE, ends=None, closes_at=WHEN)
    event = actions.create_event(the_area(), values, by=tom)
    assert (event.takes_bookings, event.capacity, event.closes_at) == (False, None, None)
    free = actions.create_event(the_area(), said(takes_bookings=False, closes_at=WHEN), by=tom)
    assert (free.takes_bookings, free.capacity, free.closes_at) == (False, 30, None)


def test_two_events_never_share_a_uid(tom: Person) -> None:
    made = [actions.create_event(the_area(), said(), by=tom) for _ in range(3)]
    assert len({event.uid for event in made}) == 3


def test_a_venue_is_found_by_its_name_whatever_the_case_and_made_once(tom: Person) -> None:
    oak = make_venue("Oak Suite")
    events = [
        actions.create_event(the_area(), said(venue=name), by=tom)
        for name in (" OAK  suite", "Elm Room", "elm room", "On line", "MS Teams", "", "x" * 300)
    ]
    assert [event.venue_id for event in events[:2]] == [oak.id, events[2].venue_id]
    assert [(venue.name, venue.is_online) for venue in db.session.scalars(sa.select(Venue).order_by(Venue.id))] == [
        ("Oak Suite", False),
        ("Elm Room", False),
        ("On line", True),
        ("MS Teams", True),
        ("x" * 120, False),
    ]
    assert events[5].venue_id is None


BAD = [
    ({"title": " \r\n\x00 "}, "title", "Enter a title."),
    ({"category_id": 9999}, "category", "Choose a kind from the list."),
    ({"last_day": date(2027, 3, 8)}, "last_day", "The last day is before the first."),
    ({"last_day": date(2027, 3, 7)}, "last_day", "The last day is before the first."),
    ({"ends": time(13, 30)}, "ends", "The end is before the start."),
    ({"ends": time(13, 0)}, "ends", "The end is before the start."),
    ({"starts": None}, "ends", "The end is before the start."),
    ({"starts": None, "last_day": date(2027, 3, 9)}, "ends", "The end is before the start."),
]


@pytest.mark.parametrize(("values", "field", "sentence"), BAD)
def test_what_cannot_be_is_refused_and_nothing_changes(tom: Person, values: dict, field: str, sentence: str) -> None:
    event = make_event(day=date(2027, 3, 8))
    before = everything()
    with pytest.raises(Refused) as refused:
        actions.create_event(the_area(), said(**{"venue": "New hall", **values}), by=tom)
    assert (refused.value.sentence, refused.value.field) == (sentence, field)
    assert everything() == before
    with pytest.raises(Refused) as refused:
        edit(event, tom, venue="New hall", description="New", **values)
    assert (refused.value.sentence, refused.value.field) == (sentence, field)
    assert everything() == before
    assert (event.title, event.description, event.venue_id, event.revision) == ("SENCo forum (1)", "", None, 1)


SOON = datetime(2027, 3, 1, 9, 0, tzinfo=UTC)
RULES = BookingRules(
    opens_at=SOON,
    who_may_book=WhoMayBook.SCHOOLS,
    schools_first_until=SOON,
    per_school=2,
    per_school_until=SOON,
    promotion=Promotion.OFFER,
    offer_hours=24,
    late_places_go_on=True,
    changes_until_hours=48,
    link_in_invitation=False,
    series="Forums",
)
BAD_RULES = [
    ({"opens_at": datetime(2027, 3, 8, 13, 30, tzinfo=UTC)}, "opens_day", "open before the event starts"),
    ({"opens_at": datetime(2027, 3, 5, 12, 0, tzinfo=UTC)}, "opens_day", "open before it closes"),
    ({"who_may_book": WhoMayBook.AUDIENCE}, "audiences", "Tick whom it is for"),
    ({"schools_first_until": SOON}, "schools_first_day", "Choose “Our schools first” too"),
    ({"per_school": 0}, "per_school", "Give each school one place at least"),
    ({"per_school": 100_001}, "per_school", "Give each school one place at least"),
    ({"per_school_until": SOON}, "lifted_day", "Enter the places for each school too"),
    ({"offer_hours": 0}, "offer_hours", "An offer is held for 1 to 336 hours"),
    ({"offer_hours": 337}, "offer_hours", "An offer is held for 1 to 336 hours"),
    ({"changes_until_hours": -1}, "changes_until_hours", "from 0 to 720"),
    ({"changes_until_hours": 721}, "changes_until_hours", "from 0 to 720"),
]


@pytest.mark.parametrize(("rules", "field", "sentence"), BAD_RULES)
def test_rules_that_cannot_be_are_refused_and_nothing_changes(
    tom: Person, rules: dict, field: str, sentence: str
) -> None:
    closes = {"closes_at": datetime(2027, 3, 5, 12, 0, tzinfo=UTC)}
    event = make_event(day=date(2027, 3, 8), **closes)
    asked = BookingRules(**{"series": "New", **rules})
    before = everything()
    with pytest.raises(Refused, match=sentence) as refused:
        actions.create_event(the_area(), said(rules=asked, venue="New hall", **closes), by=tom)
    assert refused.value.field == field
    with pytest.raises(Refused, match=sentence) as refused:
        edit(event, tom, rules=asked, venue="New hall")
    assert refused.value.field == field
    assert everything() == before


def test_rules_are_kept_logged_and_seen_by_no_calendar(tom: Person) -> None:
    event = make_event(day=date(2027, 3, 8))
    changed = edit(event, tom, rules=RULES)
    assert rules_of(event) == RULES
    assert changed == {
        "opens_at": ["", "2027-03-01 09:00:00+00:00"],
        "who_may_book": ["anyone", "schools"],
        "schools_first_until": ["", "2027-03-01 09:00:00+00:00"],
        "per_school": ["", "2"],
        "per_school_until": ["", "2027-03-01 09:00:00+00:00"],
        "promotion": ["automatic", "offer"],
        "offer_hours": ["48", "24"],
        "late_places_go_on": ["False", "True"],
        "changes_until_hours": ["0", "48"],
        "link_in_invitation": ["True", "False"],
        "series": ["", "Forums"],
    }
    assert (event.sequence, event.revision, event.changed_at) == (0, 2, WHEN)
    before = everything()
    assert edit(event, tom) == {}
    assert everything() == before


def test_only_a_session_has_rules_and_opens_only_where_it_is_booked(tom: Person) -> None:
    deadline = actions.create_event(the_area(), said(kind=Kind.DEADLINE, ends=None, rules=RULES), by=tom)
    assert (rules_of(deadline), db.session.query(Series).count()) == (BookingRules(), 0)
    free = actions.create_event(the_area(), said(takes_bookings=False, rules=RULES), by=tom)
    assert rules_of(free) == replace(RULES, opens_at=None)


def test_an_event_for_its_audiences_names_one_of_its_own_area(tom: Person) -> None:
    only_them = BookingRules(who_may_book=WhoMayBook.AUDIENCE)
    sencos = make_audience("SENCos")
    with pytest.raises(Refused, match="Tick whom it is for"):
        actions.create_event(the_area(), said(rules=only_them, audience_ids=(9999,)), by=tom)
    event = actions.create_event(the_area(), said(rules=only_them, audience_ids=(sencos.id,)), by=tom)
    assert event.who_may_book is WhoMayBook.AUDIENCE


def test_an_invitation_gets_a_key_that_is_kept_until_a_new_one_is_made(tom: Person) -> None:
    event = make_event()
    with pytest.raises(Refused, match="not booked by invitation"):
        actions.new_invitation(event, by=tom)
    invited = BookingRules(who_may_book=WhoMayBook.INVITED)
    assert set(edit(event, tom, rules=invited)) == {"who_may_book"}
    key = event.invitation_key
    assert len(key) == 16
    edit(event, tom, rules=BookingRules())
    edit(event, tom, rules=invited)
    assert (event.invitation_key, event.revision) == (key, 4)
    actions.new_invitation(event, by=tom)
    assert len({key, event.invitation_key}) == 2
    assert (event.revision, event.sequence) == (5, 0)
    assert log()[-1] == ("Tom Okafor", "made a new invitation link for", event.id, "event", {})


def test_a_series_is_found_by_its_name_whatever_the_case_and_made_once(tom: Person) -> None:
    names = ("Forums", " FORUMS ", "forums\n2", "", "x" * 300)
    events = [actions.create_event(the_area(), said(rules=BookingRules(series=name)), by=tom) for name in names]
    assert [event.series and event.series.name for event in events] == ["Forums", "Forums", "forums 2", None, "x" * 120]
    assert db.session.query(Series).count() == 3


def test_an_event_over_several_days_may_end_earlier_in_the_day_than_it_began(tom: Person) -> None:
    event = actions.create_event(the_area(), said(last_day=date(2027, 3, 9), ends=time(12, 0)), by=tom)
    assert (event.last_day, event.starts, event.ends) == (date(2027, 3, 9), time(13, 30), time(12, 0))


def test_a_category_of_another_area_is_refused(tom: Person) -> None:
    area = the_area()
    other = Area(slug="other", name="Other", short_name="Other", email="other@x.example")
    db.session.add(other)
    db.session.commit()
    foreign = make_category("Foreign", area_id=other.id)
    with pytest.raises(Refused, match="Choose a kind from the list"):
        actions.create_event(area, said(category_id=foreign.id), by=tom)


SEEN = {
    "title": "New title",
    "description": "New words",
    "kind": Kind.MILESTONE,
    "day": date(2027, 3, 9),
    "last_day": date(2027, 3, 10),
    "starts": time(13, 0),
    "ends": time(16, 0),
    "venue": "New hall",
    "visibility": Visibility.STAFF,
}
UNSEEN = {
    "private": True,
    "cost": "£10",
    "joining_link": "https://meet.example.org/x",
    "takes_bookings": False,
    "capacity": 31,
    "places_per_booking": 3,
    "closes_at": datetime(2027, 3, 5, 12, 0, tzinfo=UTC),
}


@pytest.mark.parametrize(("name", "value"), SEEN.items())
def test_a_change_that_calendars_show_raises_sequence(tom: Person, name: str, value) -> None:
    event = make_event(day=date(2027, 3, 8))
    uid, versions = event.uid, version()
    with time_machine.travel(LATER, tick=False):
        changed = edit(event, tom, **{name: value})
    assert {"venue_id" if name == "venue" else name} <= set(changed)
    found = row(event)
    assert (found["sequence"], found["revision"], found["changed_at"], found["uid"]) == (1, 2, LATER, uid)
    assert version() > versions


def test_another_category_raises_sequence(tom: Person) -> None:
    event = make_event()
    assert set(edit(event, tom, category_id=make_category("Coffee morning").id)) == {"category_id"}
    assert (event.sequence, event.category.name) == (1, "Coffee morning")


@pytest.mark.parametrize(("name", "value"), UNSEEN.items())
def test_a_change_that_no_calendar_shows_leaves_sequence(tom: Person, name: str, value) -> None:
    event = make_event(day=date(2027, 3, 8))
    with time_machine.travel(LATER, tick=False):
        changed = edit(event, tom, **{name: value})
    assert set(changed) == {name}
    found = row(event)
    assert (found["sequence"], found["revision"], found["changed_at"]) == (0, 2, WHEN)


def test_another_audience_is_a_change_without_a_sequence(tom: Person) -> None:
    event, sencos = make_event(), make_audience("SENCos")
    assert edit(event, tom, audience_ids=(sencos.id,)) == {"audiences": ["", "SENCos"]}
    assert edit(event, tom, audience_ids=()) == {"audiences": ["SENCos", ""]}
    assert (event.sequence, event.revision, db.session.query(event_audiences).count()) == (0, 3, 0)


@pytest.mark.parametrize("what", ["name of the kind", "colour of the kind", "address of the venue"])
def test_what_entries_say_of_a_kind_or_a_venue_is_a_change_of_theirs(tom: Person, what: str) -> None:
    venue = make_venue("Oak Suite")
    event = make_event(venue_id=venue.id)
    other = make_event(category_id=make_category("Conference").id)
    long_ago = make_event(in_days=-1000, venue_id=venue.id)
    kind = event.category
    with time_machine.travel(LATER, tick=False):
        if what == "address of the venue":
            save_venue(the_area(), venue, VenueValues("Oak Suite", "New Road", "", False), by=tom)
        else:
            name, colour = ("Forum", 1) if what == "name of the kind" else (kind.name, 2)
            save_category(the_area(), kind, KindValues(name, kind.letters, colour, kind.visibility), by=tom)
    assert [row(one)["changed_at"] for one in (event, other, long_ago)] == [LATER, WHEN, WHEN]
    assert row(event)["sequence"] == 0


def test_what_no_entry_says_of_a_kind_or_a_venue_changes_none(tom: Person) -> None:
    venue = make_venue("Oak Suite")
    event = make_event(venue_id=venue.id)
    with time_machine.travel(LATER, tick=False):
        save_venue(the_area(), venue, VenueValues("Oak Suite", "", "Ring twice", False, 40), by=tom)
        save_category(the_area(), event.category, KindValues("SENCo forum", "XY", 1, Visibility.STAFF), by=tom)
    assert row(event)["changed_at"] == WHEN


@pytest.mark.parametrize(("name", "value"), SEEN.items())
def test_a_draft_may_change_without_a_sequence_and_the_teams_calendar_sees_when(tom: Person, name: str, value) -> None:
    event = make_event(day=date(2027, 3, 8), **DRAFT)
    with time_machine.travel(LATER, tick=False):
        edit(event, tom, **{name: value})
    found = row(event)
    assert (found["sequence"], found["revision"], found["changed_at"]) == (0, 2, LATER)


def test_an_edit_is_logged_with_what_was_and_what_is(tom: Person) -> None:
    event = make_event(day=date(2027, 3, 8))
    changed = {"title": ["SENCo forum (1)", "Forum"], "starts": ["13:30:00", "14:00:00"], "capacity": ["30", ""]}
    assert edit(event, tom, title="Forum", starts=time(14, 0), capacity=None) == changed
    assert log() == [("Tom Okafor", "edited", event.id, "event", {"changed": changed})]


def test_an_edit_of_nothing_changes_nothing(tom: Person) -> None:
    sencos = make_audience("SENCos")
    event = make_event(venue_id=make_venue().id, audiences=[sencos], closes_at=WHEN, description="Words")
    before = everything()
    assert edit(event, tom, title=" SENCo  forum (1)", venue="OAK SUITE") == {}
    assert everything() == before


def test_an_edit_of_an_older_revision_is_refused_and_nothing_changes(tom: Person) -> None:
    event = make_event()
    edit(event, tom, title="By somebody else")
    before = everything()
    with pytest.raises(Stale, match="Somebody else has changed this event since you opened it"):
        edit(event, tom, revision=1, title="By me")
    assert everything() == before
    assert edit(event, tom, revision=2, title="By me") == {"title": ["By somebody else", "By me"]}


def test_there_cannot_be_fewer_places_than_are_taken(tom: Person) -> None:
    event = make_event(capacity=5)
    for _ in range(2):
        make_booking(event)
    before = everything()
    with pytest.raises(Refused) as refused:
        edit(event, tom, capacity=1)
    assert (refused.value.sentence, refused.value.field) == (
        "2 places are taken already, so there cannot be fewer. Cancel places first.",
        "capacity",
    )
    assert everything() == before
    edit(event, tom, capacity=2)
    assert (row(event)["capacity"], row(event)["taken"]) == (2, 2)
    edit(event, tom, capacity=None)
    assert row(event)["capacity"] is None


@pytest.mark.parametrize("values", [{"takes_bookings": False}, {"kind": Kind.DEADLINE, "ends": None}])
def test_what_people_booked_stays_bookable(tom: Person, values: dict) -> None:
    event = make_event()
    make_booking(event)
    before = everything()
    with pytest.raises(Refused, match="People have booked this"):
        edit(event, tom, **values)
    assert everything() == before


def test_a_draft_is_published_once(tom: Person) -> None:
    event = make_event(**DRAFT)
    versions = version()
    with time_machine.travel(LATER, tick=False):
        actions.publish(event, by=tom)
    found = row(event)
    assert (found["status"], found["published_at"], found["changed_at"]) == (EventStatus.PUBLISHED, LATER, LATER)
    assert (found["sequence"], found["revision"]) == (0, 2)
    assert version() > versions
    before = everything()
    actions.publish(event, by=tom)
    assert everything() == before
    assert log() == [("Tom Okafor", "published", event.id, "event", {})]


def test_what_is_called_off_stays_on_the_calendar_as_cancelled(tom: Person) -> None:
    event = make_event()
    uid, versions = event.uid, version()
    with time_machine.travel(LATER, tick=False):
        assert actions.cancel(event, by=tom, note=" The hall\r\nis flooded ") is True
    found = row(event)
    assert (found["status"], found["cancelled_at"], found["changed_at"]) == (EventStatus.CANCELLED, LATER, LATER)
    assert (found["sequence"], found["revision"], found["uid"]) == (1, 2, uid)
    assert found["cancel_note"] == "The hall is flooded"
    assert version() > versions
    before = everything()
    assert actions.cancel(event, by=tom, note="Again") is False
    assert everything() == before
    with pytest.raises(Refused, match="A cancelled event cannot be published again"):
        actions.publish(event, by=tom)
    assert everything() == before
    assert log() == [("Tom Okafor", "cancelled", event.id, "event", {"note": "The hall is flooded"})]


def test_what_was_called_off_is_put_back_on_as_the_same_event(tom: Person) -> None:
    event = make_event()
    uid = event.uid
    actions.cancel(event, by=tom, note="Flooded")
    versions = version()
    with time_machine.travel(LATER, tick=False):
        assert actions.restore(event, by=tom) is True
    found = row(event)
    assert (found["status"], found["cancelled_at"], found["cancel_note"]) == (EventStatus.PUBLISHED, None, "")
    assert (found["sequence"], found["revision"], found["uid"], found["changed_at"]) == (2, 3, uid, LATER)
    assert version() > versions
    before = everything()
    assert actions.restore(event, by=tom) is False
    assert everything() == before
    assert log()[-1] == ("Tom Okafor", "put back on", event.id, "event", {})


def test_what_is_over_or_a_draft_is_not_put_back_on(tom: Person) -> None:
    over, draft = make_event(in_days=-2), make_event(**DRAFT)
    actions.cancel(over, by=tom)
    before = everything()
    with pytest.raises(Refused, match="has passed"):
        actions.restore(over, by=tom)
    with pytest.raises(Refused, match="publish it instead"):
        actions.restore(draft, by=tom)
    assert everything() == before


def test_a_note_that_is_too_long_is_cut(tom: Person) -> None:
    event = make_event()
    actions.cancel(event, by=tom, note="x" * 999)
    assert row(event)["cancel_note"] == "x" * 300


def test_what_was_cancelled_may_still_be_put_right(tom: Person) -> None:
    event = make_event()
    actions.cancel(event, by=tom)
    edit(event, tom, description="Comes back in May")
    assert (event.sequence, event.status) == (2, EventStatus.CANCELLED)


def test_a_draft_is_deleted_not_cancelled(tom: Person) -> None:
    event = make_event(audiences=[make_audience()], **DRAFT)
    before, versions = everything(), version()
    with pytest.raises(Refused, match="This is a draft: nobody has seen it"):
        actions.cancel(event, by=tom)
    assert everything() == before
    event_id = event.id
    actions.delete_draft(event, by=tom)
    assert db.session.query(Event).count() == db.session.query(event_audiences).count() == 0
    assert version() > versions
    assert log() == [("Tom Okafor", "deleted the draft", event_id, "event", {"title": "SENCo forum (1)"})]


def test_a_closing_date_is_for_an_event_of_its_area_that_comes_after_it(tom: Person) -> None:
    panel, closing = make_event("Panel", in_days=30), make_event("Closes", in_days=20, kind=Kind.DEADLINE)
    assert edit(closing, tom, closes_for_id=panel.id)["closes_for"] == ["", "Panel"]
    assert (closing.closes_for, closing.sequence) == (panel, 1)
    other_area = save(Area(slug="elsewhere", name="Elsewhere", short_name="Elsewhere"))
    elsewhere = make_event("Elsewhere", area_id=other_area.id, category_id=make_category().id)
    too_early = make_event("Too early", in_days=19)
    before = everything()
    for values, sentence in (
        ({"closes_for_id": elsewhere.id}, "Choose another event from the list."),
        ({"closes_for_id": closing.id}, "Choose another event from the list."),
        ({"closes_for_id": 999}, "Choose another event from the list."),
        ({"closes_for_id": too_early.id}, f"Too early is before this closing date, on {say_day(too_early.day)}."),
        ({"kind": Kind.SESSION}, "Only a closing date is for another event."),
    ):
        with pytest.raises(Refused) as refused:
            edit(closing, tom, **values)
        assert (refused.value.sentence.startswith(sentence), refused.value.field) == (True, "closes_for")
        assert everything() == before
    # A session is not for itself, and a panel stays one while something closes for it.
    for one, values, field, sentence in (
        (too_early, {"closes_for_id": too_early.id}, "closes_for", "Choose another event from the list."),
        (panel, {}, "kind", "Closes is for this event. Say there first what else it is for."),
    ):
        with pytest.raises(Refused) as refused:
            edit(one, tom, kind=Kind.DEADLINE, takes_bookings=False, capacity=None, **values)
        assert (refused.value.sentence, refused.value.field) == (sentence, field)
        assert everything() == before
    assert edit(closing, tom, kind=Kind.SESSION, closes_for_id=None)
    assert closing.closes_for is None


def test_what_closes_for_a_draft_stays_when_that_is_deleted(tom: Person) -> None:
    panel, closing = make_event("Panel", **DRAFT), make_event("Closes", in_days=20, kind=Kind.DEADLINE)
    edit(closing, tom, closes_for_id=panel.id)
    actions.delete_draft(panel, by=tom)
    db.session.expire_all()
    assert (closing.title, closing.closes_for_id, closing.closes_for, closing.sequence) == ("Closes", None, None, 2)


@pytest.mark.parametrize("status", [EventStatus.PUBLISHED, EventStatus.CANCELLED])
def test_what_people_have_seen_is_never_deleted(tom: Person, status: EventStatus) -> None:
    event = make_event(status=status)
    before = everything()
    with pytest.raises(Refused, match="Only a draft can be deleted"):
        actions.delete_draft(event, by=tom)
    assert everything() == before


def test_a_draft_that_somebody_booked_is_never_deleted(tom: Person) -> None:
    event = make_event(**DRAFT)
    make_booking(event)
    with pytest.raises(Refused, match="Somebody booked this event before"):
        actions.delete_draft(event, by=tom)
    assert db.session.query(Event).count() == 1


def test_what_another_has_deleted_meanwhile_is_refused(tom: Person) -> None:
    event = make_event(**DRAFT)
    values = values_of(event)
    db.session.execute(sa.delete(Event.__table__))
    db.session.commit()
    with pytest.raises(Refused, match="This has been removed in the meantime"):
        actions.edit_event(event, values, by=tom, revision=1)


def test_a_booking_leaves_the_calendars_version_and_the_event_as_they_are(tom: Person) -> None:
    event = make_event()
    before, versions = row(event), version()
    booking = bookings.book(event, by=Contact("Ada Obi", "ada@x.example"), places=[NewPlace("Ada Obi")])
    assert version() == versions
    assert {name for name, value in row(event).items() if value != before[name]} == {"taken"}
    bookings.cancel(booking)
    assert (version(), row(event)) == (versions, before)


def test_whatever_a_calendar_shows_raises_its_version(tom: Person) -> None:
    event, venue, audience = make_event(), make_venue(), make_audience()

    def change(what, **values) -> int:
        before = version()
        for name, value in values.items():
            setattr(what, name, value)
        db.session.commit()
        return version() - before

    assert change(event.category, name="Forum") == 1
    assert change(venue, address="High Street") == 1
    assert change(audience, name="SENCos and heads") == 1
    assert change(event, audiences=[audience]) == 1
    assert change(event, venue=venue) == 1
    assert change(event, title="Forum") == 1
    assert change(event, title="Forum") == 0
    assert change(event, taken=3, last_position=4, revision=9) == 0
    assert change(tom, name="Tomasz") == 0
    for row_ in (
        Term(area_id=event.area_id, year=2026, number=1, first_day=date(2026, 9, 1), last_day=date(2026, 10, 23)),
        Audience(area_id=event.area_id, slug="new", name="New"),
    ):
        before = version()
        db.session.add(row_)
        db.session.commit()
        assert version() == before + 1
        db.session.delete(row_)
        db.session.commit()
        assert version() == before + 2


def test_the_version_of_one_area_is_not_raised_by_another() -> None:
    event = make_event()
    other = Area(slug="other", name="Other", short_name="Other", email="other@x.example")
    db.session.add(other)
    db.session.commit()
    versions, others = version(event.area_id), version(other.id)
    make_category("Foreign", area_id=other.id)
    assert (version(event.area_id), version(other.id)) == (versions, others + 1)


def test_a_change_that_is_not_kept_leaves_the_version_too(tom: Person) -> None:
    event = make_event()
    before = everything()

    @atomic
    def change_and_fail() -> None:
        edit(event, tom, title="Never")
        raise Refused("No.")

    with pytest.raises(Refused):
        change_and_fail()
    assert everything() == before
    assert asdict(values_of(event))["title"] == "SENCo forum (1)"
    assert now() == WHEN
