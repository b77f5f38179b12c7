"""Every page, for everyone who may open it: empty, full, on a wide and on a narrow screen, by keyboard alone."""

from collections.abc import Callable
from dataclasses import dataclass
from types import SimpleNamespace
from typing import Any

import pytest
from flask import Flask
from playwright.sync_api import Page, expect

from booking.calendar.terms import school_year_of, year_name
from booking.core.clock import today
from tests.browser.look import Visit, documents, problems_of
from tests.browser.site import LEAD, NEWCOMER, ORGANISER, SENCO, Site
from tests.databases import make_app

pytestmark = pytest.mark.xdist_group("browser-pages")

# What answers with something else than a page.
NO_PAGES = {
    "static",
    "api.event",
    "api.events",
    "api.openapi",
    "api.start",
    "bookings_manage.export",
    "feeds.calendar",
    "feeds.category",
    "feeds.event",
    "feeds.my",
    "feeds.school",
    "feeds.staff",
    "feeds.team",
    "metrics.metrics",
    "notifications.mail_file",
    "site.healthz",
    "site.readyz",
    "site.robots",
    "site.security",
}
Values = Callable[[SimpleNamespace], dict[str, Any]]


def nothing(_known: SimpleNamespace) -> dict[str, Any]:
    return {}


@dataclass(frozen=True, slots=True)
class Case:
    """A page to look at: where it is, how its title begins, its main heading, who opens it, and how it answers."""

    name: str
    endpoint: str
    title: str
    heading: str = ""
    values: Values = nothing
    who: str = ""
    status: int = 200
    site: str = "demo"
    # Where the address alone does not lead there.
    way: Callable[[Page, SimpleNamespace], None] | None = None


def event(name: str, **more: Any) -> Values:
    return lambda known: {"event_id": getattr(known, name).id, **more}


def public_page(name: str) -> Values:
    return lambda known: {"event_id": getattr(known, name).id, "slug": getattr(known, name).slug}


def booking(name: str) -> Values:
    return lambda known: {"token": known.bookings[name]}


def place(name: str) -> Values:
    return lambda known: {"token": known.places[name]}


def priyas_place(known: SimpleNamespace) -> dict[str, Any]:
    return {"event_id": known.open.id, "place_id": known.place_id}


def priyas_own(known: SimpleNamespace) -> dict[str, Any]:
    return {"token": known.bookings["both"], "place_id": known.place_id}


def who_waits(known: SimpleNamespace) -> dict[str, Any]:
    return {"event_id": known.narrow.id, "place_id": known.waiting_id}


def query(**values: Any) -> Values:
    return lambda _known: values


def digest(**names: str) -> Values:
    return lambda known: {value: known.digest[name] for value, name in names.items()}


def ask_for_the_digest(page: Page, _known: SimpleNamespace) -> None:
    page.goto("/digest/subscribe")
    page.get_by_label("Your e-mail address").fill("grace@look.example")
    page.get_by_role("button", name="Send me the link").click()


def ask_for_a_code(page: Page, _known: SimpleNamespace) -> None:
    page.goto("/sign-in")
    page.get_by_label("Your e-mail address").fill("priya@oakhurst.example")
    page.get_by_role("button", name="Send me the e-mail").click()


def book_in_private(page: Page, known: SimpleNamespace) -> None:
    page.goto(f"/events/{known.private.id}/book")
    page.get_by_label("Your name").fill("Sam Lee")
    page.get_by_label("Your e-mail address").fill("sam.lee@example.org")
    page.get_by_role("button", name="Book", exact=True).click()


def look_at_a_message(page: Page, known: SimpleNamespace) -> None:
    page.goto(f"/manage/events/{known.open.id}/places/message")
    page.get_by_label("Subject").fill("About [event]")
    page.get_by_label("What to say").fill("Dear [name],\n\nyour place is here: [link]")
    page.get_by_role("button", name="Look at it first").click()


def look_at_the_invitation(page: Page, known: SimpleNamespace) -> None:
    page.goto(f"/manage/events/{known.staff.id}/invitations/new")
    page.get_by_role("button", name="Look at it first").click()


def import_contacts(page: Page, _known: SimpleNamespace) -> None:
    page.goto("/manage/schools/import")
    rows = ("School,Name,Role,E-mail", "Ashdown Lane,Ada,SENCo,ada@a.example", "Mill,Bea,Head,b@a.example", ",C,Chef,")
    file = {"name": "contacts.csv", "mimeType": "text/csv", "buffer": "\n".join(rows).encode()}
    page.get_by_label("List of contacts").set_input_files(files=[file])
    page.get_by_role("button", name="See what would change").click()


def look_at_the_reminders(page: Page, _known: SimpleNamespace) -> None:
    page.goto("/manage/reminders/1")
    page.get_by_role("button", name="Preview").click()


def delete_what_was_published_meanwhile(page: Page, known: SimpleNamespace) -> None:
    address = f"/manage/events/{known.stale.id}/"
    page.goto(address)
    other = page.context.new_page()
    other.goto(address)
    other.get_by_role("button", name="Publish").click()
    other.close()
    page.get_by_role("button", name="Delete this draft").click()


def last_year_wrongly(_known: SimpleNamespace) -> dict[str, Any]:
    return {"year": year_name(school_year_of(today()) - 1), "category": "nonsense"}


def half_terms_of_this_year(_known: SimpleNamespace) -> dict[str, Any]:
    return {"year": year_name(school_year_of(today()))}


def ask_for_a_new_event(page: Page, _known: SimpleNamespace) -> None:
    page.goto("/manage/events/new")


def sign_in_from_a_page_left_open(page: Page, known: SimpleNamespace) -> None:
    page.goto("/sign-in")
    page.context.clear_cookies()
    page.get_by_label("Your e-mail address").fill("priya@oakhurst.example")
    page.get_by_role("button", name="Send me the e-mail").click()


def choose_dates_after_the_session_has_ended(page: Page, known: SimpleNamespace) -> None:
    page.goto("/my/reminders")
    page.context.clear_cookies()
    page.get_by_role("checkbox").first.check()
    page.get_by_role("button", name="Save").click()


HOME, NONE_FOUND = "What is on for SEND in Vale & Marsh", "Nothing found"
CASES = [
    # Anybody.
    Case("home", "calendar.home", "What is on", HOME),
    Case("planner", "calendar.planner", "Year planner"),
    Case("planner-wrong", "calendar.planner", "Error: Year planner", values=last_year_wrongly, status=400),
    Case("list", "calendar.events", "Events"),
    Case("list-filtered", "calendar.events", "Events", values=query(audience="sencos", q="forum", free="y")),
    Case("list-nothing", "calendar.events", "Events", values=query(q="zzzz")),
    Case("event", "calendar.event", "Writing support plans that families can read", values=public_page("open")),
    Case("event-full", "calendar.event", "Solution Circle", "{full.title}", public_page("full")),
    Case("event-course", "calendar.event", "Two days on autism", values=public_page("course")),
    Case("event-soon", "calendar.event", "Emotional wellbeing, level 1", values=public_page("soon")),
    Case("event-asked", "calendar.event", "Emotional wellbeing, level 2", values=public_page("asked")),
    Case("event-invited", "calendar.event", "Emotional wellbeing, level 3", values=public_page("invited")),
    Case("event-private", "calendar.event", "Support group for fathers", values=public_page("private")),
    Case("event-closed", "calendar.event", "Safeguarding update", values=public_page("closed")),
    Case("event-past", "calendar.event", "Sensory circuits, level 1", values=public_page("past")),
    Case("event-cancelled", "calendar.event", "Sensory circuits, level 2", values=public_page("cancelled")),
    Case("deadline", "calendar.event", "{deadline.title}", values=public_page("deadline")),
    Case("milestone", "calendar.event", "{milestone.title}", values=public_page("milestone")),
    Case("book", "bookings.book", "Book places: Writing support plans", "Book places", event("open")),
    Case("book-full", "bookings.book", "Join the waiting list: Sol", "Join the waiting list", event("full")),
    Case("book-soon", "bookings.book", "Book places", "Booking is not open yet", event("soon"), status=409),
    Case("book-invited", "bookings.book", "Book places", "Booking is by invitation", event("invited"), status=409),
    Case("book-asked", "bookings.book", "Book places: Emotional", "Book places", event("asked")),
    Case("book-private", "bookings.book", "Book places: Support group", "Book places", event("private")),
    Case("book-closed", "bookings.book", "Book places: Saf", "This cannot be booked", event("closed"), status=409),
    Case(
        "booked-by-mail",
        "bookings.by_mail",
        "Look at your e-mail: Support group",
        "Thank you. Look at your e-mail",
        event("private"),
        way=book_in_private,
    ),
    Case("booked", "bookings.booking", "Both places are booked: Writ", "Both places are booked", booking("both")),
    Case("booked-mixed", "bookings.booking", "One booked, one waiting: A", "One booked, one waiting", booking("mixed")),
    Case("booked-waiting", "bookings.booking", "On the waiting list: A", "On the waiting list", booking("waiting")),
    Case("booked-off", "bookings.booking", "Your booking is can", "Your booking is cancelled", booking("given_back")),
    Case("event-off", "bookings.booking", "This event has", "This event has been cancelled", booking("called_off")),
    Case("booked-held", "bookings.booking", "A place is held", "A place is held for you until", booking("held")),
    Case("booked-changed", "bookings.booking", "Both places", "Both places are booked", booking("changed")),
    Case("answer", "bookings.accept", "Accept or decline: Two", "Do you take this place?", booking("held")),
    Case("answer-none", "bookings.accept", "This ca", "This cannot be changed", booking("both"), status=409),
    Case("answer-own", "bookings.accept_place", "Accept or decline: Two", "Do you take this place?", place("held")),
    Case("swap", "bookings.swap", "Swap in a colleague: W", "Who comes instead of Priya Nair?", priyas_own),
    Case("swap-own", "bookings.swap_place", "Swap in a col", "Who comes instead of you?", place("confirmed")),
    Case("edit", "bookings.edit_booking", "Change your details: W", "Change your details", booking("both")),
    Case(
        "edit-attendee", "bookings.edit_attendee", "Change details: W", "Change the details of Priya Nair", priyas_own
    ),
    Case("edit-own", "bookings.edit_place", "Change details: W", "Change your details", place("confirmed")),
    Case("move", "bookings.move", "Change date: W", "Change to another date", booking("both")),
    Case("move-nowhere", "bookings.move", "Change date: Two", "Change to another date", booking("changed")),
    Case("place-held", "bookings.place", "A place is held", "A place is held for you until", place("held")),
    Case("place-gone", "bookings.place", "Your place", "Your place has gone to somebody else", place("handed_on")),
    Case("cancel-all", "bookings.cancel", "Cancel: Writing", "Cancel these 2 places?", booking("both")),
    Case(
        "cancel-one",
        "bookings.cancel",
        "Cancel: Writing",
        "Cancel this place?",
        lambda known: {"token": known.bookings["both"], "place_id": known.place_id},
    ),
    Case("cancel-none", "bookings.cancel", "Cancel: W", "There is nothing to cancel", booking("given_back")),
    Case("place", "bookings.place", "You have a place: Writing", "You have a place", place("confirmed")),
    Case("place-waiting", "bookings.place", "You are on", "You are on the waiting list", place("waiting")),
    Case("place-off", "bookings.place", "Your place is cancelled", "Your place is cancelled", place("cancelled")),
    Case("place-cancel", "bookings.cancel_place", "Cancel: Writing", "Cancel this place?", place("confirmed")),
    Case("sign-in", "directory.sign_in", "Sign in"),
    Case("sign-in-code", "directory.code", "Look at your e-mail", way=ask_for_a_code),
    Case("sign-in-link", "directory.confirm_sign_in", "Sign in", values=lambda known: {"token": known.sign_in_link}),
    Case(
        "sign-in-used-up",
        "directory.confirm_sign_in",
        "Sign in",
        "This link is of no use any more",
        query(token="of-yesterday"),
        status=410,
    ),
    Case("stop", "reminders.stop", "Stop these e-mails", values=lambda known: {"token": known.subscription}),
    Case(
        "stopped",
        "reminders.stop",
        "These e-mails have stopped",
        "These e-mails have stopped already",
        lambda known: {"token": known.stopped},
    ),
    Case("digest", "digests.latest", "The coming weeks, from"),
    Case("digest-issue", "digests.issue", "The coming weeks, from", values=digest(week="week")),
    Case("digest-subscribe", "digests.subscribe", "Get the weekly e-mail"),
    Case(
        "digest-asked",
        "digests.subscribe",
        "Look into your mailbox",
        way=ask_for_the_digest,
    ),
    Case("digest-confirm", "digests.confirm", "Get the weekly e-mail", values=digest(token="confirm")),
    Case("digest-confirmed", "digests.confirm", "The weekly e-mail comes", values=digest(token="confirmed")),
    Case("digest-late", "digests.confirm", "This link is not good", values=digest(token="too_late"), status=410),
    Case("digest-change", "digests.change", "What you hear of", values=digest(token="own")),
    Case("digest-stop", "digests.stop", "Stop the weekly e-mail", values=digest(token="own")),
    Case("digest-stopped", "digests.stop", "The weekly e-mail has stopped", values=digest(token="gone")),
    Case("subscribe", "feeds.subscribe", "Subscribe", "Keep these dates in your own calendar"),
    Case("subscribe-all", "feeds.chosen", "Subscribe: All dates"),
    Case("subscribe-chosen", "feeds.chosen", "Subscribe: Dates you chose", values=query(q="forum")),
    Case("subscribe-wrong", "feeds.chosen", "Error: Subscribe: All", values=query(category="none"), status=400),
    Case("subscribe-kind", "feeds.one_kind", "Subscribe: SENCo forum", values=query(slug="senco-forum")),
    Case("my-calendars", "feeds.mine", "My calendars", values=query(alarm="day"), who=SENCO),
    Case("try-it", "directory.demo_sign_in", "Try it as an organiser"),
    Case("mailbox", "notifications.mailbox", "Mailbox", "Mailbox of the demonstration"),
    Case("mail", "notifications.mail", "{mail.subject}", "", lambda known: {"message_id": known.mail.id}),
    Case("contact", "site.contact", "Contact us"),
    Case("accessibility", "site.accessibility", "Accessibility"),
    Case("privacy", "site.privacy", "Privacy"),
    Case("not-found", "calendar.planner", "Page not found", values=query(year="1066"), status=404),
    Case(
        "form-too-old",
        "directory.sign_in",
        "Error: Sign in",
        status=422,
        way=sign_in_from_a_page_left_open,
    ),
    # A SENCo who is signed in.
    Case("senco-home", "calendar.home", "What is on", HOME, who=SENCO),
    Case("senco-staff-event", "calendar.event", "Moderation for SENCos", values=public_page("staff"), who=SENCO),
    Case("senco-book", "bookings.book", "Book places: A talk", "Book places", event("nobody"), SENCO),
    Case(
        "signed-out-meanwhile",
        "reminders.mine",
        "Error: You are signed out",
        who=SENCO,
        status=403,
        way=choose_dates_after_the_session_has_ended,
    ),
    Case("senco-my", "bookings.my", "My bookings", who=SENCO),
    Case("senco-my-empty", "bookings.my", "My bookings", who=NEWCOMER),
    Case("senco-school", "deadlines.school_contacts", "Contacts of ", "", lambda known: known.own_school, SENCO),
    Case("senco-contact", "deadlines.own_contact", "SENCo of ", "", lambda known: known.own_contact, SENCO),
    Case("senco-dates", "reminders.mine", "Which dates we tell you of", who=SENCO),
    Case("senco-digest", "digests.mine", "My weekly e-mail", who=SENCO),
    Case("senco-details", "directory.details", "My details", who=SENCO),
    Case("senco-not-hers", "organiser.desk", "This is not yours to open", who=SENCO, status=403),
    # An organiser.
    Case("team-planner", "calendar.planner", "Year planner", who=ORGANISER),
    Case(
        "team-draft", "calendar.event", "Attachment in", "Attachment in the classroom", public_page("draft"), ORGANISER
    ),
    Case("desk", "organiser.desk", "Desk", who=ORGANISER),
    Case("desk-events", "organiser.events", "Events", who=ORGANISER),
    Case("desk-drafts", "organiser.events", "Events", values=query(show="drafts"), who=ORGANISER),
    Case("desk-events-nothing", "organiser.events", "Events", values=query(q="zzzz"), who=ORGANISER),
    Case("desk-new", "organiser.new_event", "New event", who=ORGANISER),
    Case("desk-event", "organiser.event", "Writing support plans", "{open.title}", event("open"), ORGANISER),
    Case("desk-event-rules", "organiser.event", "Emotional", "{asked.title}", event("asked"), ORGANISER),
    Case("desk-invited", "organiser.event", "Emotional", "{invited.title}", event("invited"), ORGANISER),
    Case("desk-edit-rules", "organiser.edit_event", "Edit Emotional", "Edit or move", event("asked"), ORGANISER),
    Case("desk-draft", "organiser.event", "Attachment in", "{draft.title}", event("draft"), ORGANISER),
    Case("desk-cancelled", "organiser.event", "Sensory circuits", "{cancelled.title}", event("cancelled"), ORGANISER),
    Case("desk-edit", "organiser.edit_event", "Edit Writing", "Edit or move", event("open"), ORGANISER),
    Case(
        "desk-restore",
        "organiser.restore_event",
        "Put Sensory",
        "Put this event back on?",
        event("cancelled"),
        ORGANISER,
    ),
    Case("desk-cancel", "organiser.cancel_event", "Cancel Writing", "Cancel this event?", event("open"), ORGANISER),
    Case(
        "desk-reminders-event",
        "organiser.event_reminders",
        "Reminders: W",
        "Reminders: {open.title}",
        event("open"),
        ORGANISER,
    ),
    Case("desk-reminders", "organiser.reminders", "Reminders", who=ORGANISER),
    Case(
        "desk-reminders-kind",
        "organiser.category_reminders",
        "Reminders: SENCo forum",
        values=query(category_id=1),
        who=ORGANISER,
    ),
    Case("desk-reminders-deadline", "organiser.event_reminders", "Reminders: ", "", event("deadline"), ORGANISER),
    Case(
        "desk-reminders-preview",
        "organiser.category_reminders",
        "Reminders: SENCo forum",
        values=query(category_id=1),
        who=ORGANISER,
        way=look_at_the_reminders,
    ),
    Case(
        "desk-reminders-coming",
        "organiser.coming_reminders",
        "Reminders of the coming",
        "What goes in the coming fortnight",
        who=ORGANISER,
    ),
    Case(
        "desk-outbox-message",
        "organiser.message",
        "{mail.subject}",
        values=lambda known: {"message_id": known.mail.id},
        who=ORGANISER,
    ),
    Case("desk-schools", "organiser.schools", "Schools", who=ORGANISER),
    Case("empty-schools", "organiser.schools", "Schools", who=ORGANISER, site="empty"),
    Case("desk-school", "organiser.school", "Ashdown Lane", values=query(school_id=1), who=ORGANISER),
    Case(
        "desk-school-contact",
        "organiser.school_contact",
        "",
        values=query(school_id=1, contact_id=1),
        who=ORGANISER,
    ),
    Case("desk-import", "exchange.import_contacts", "Import contacts", who=ORGANISER),
    Case("desk-import-preview", "exchange.import_contacts", "What would change", who=ORGANISER, way=import_contacts),
    Case("desk-school-group-old", "organiser.school_group", "Wave 1", values=query(group_id=1), who=ORGANISER),
    Case("desk-school-group", "organiser.school_group", "New group of schools", who=ORGANISER),
    Case("desk-returns-all", "organiser.all_returns", "Returns", who=ORGANISER),
    Case("desk-returns", "organiser.returns", "Returns: {asks.title}", "", event("asks"), ORGANISER),
    Case("desk-ask", "organiser.ask", "What schools are asked for", values=event("asks"), who=ORGANISER),
    Case("empty-returns", "organiser.all_returns", "Returns", who=ORGANISER, site="empty"),
    Case("answer", "deadlines.answer", "", "{asks.title}", lambda known: {"token": known.returns["open"]}),
    Case("answered", "deadlines.answer", "", "{asks.title}", lambda known: {"token": known.returns["done"]}),
    Case("desk-digest", "digests_manage.digest", "Weekly e-mail", who=ORGANISER),
    Case("desk-digest-when", "digests_manage.plan", "When the weekly e-mail goes", who=ORGANISER),
    Case("desk-digest-copy", "digests_manage.copy", "Copy the issue of", values=digest(week="week"), who=ORGANISER),
    Case("answer-silent", "deadlines.answer", "", "{optional.title}", lambda known: {"token": known.returns["silent"]}),
    Case("desk-returns-silent", "organiser.returns", "Returns: {optional.title}", "", event("optional"), ORGANISER),
    Case(
        "desk-invitations", "organiser.invitations", "Invitations: {inviting.title}", "", event("inviting"), ORGANISER
    ),
    Case("desk-invitations-none", "organiser.invitations", "Invitations: ", "", event("soon"), ORGANISER),
    Case("desk-invite", "organiser.invite", "Invite schools", values=event("nobody"), who=ORGANISER),
    Case(
        "desk-invite-preview",
        "organiser.invite",
        "Look at the invitation: Moderation",
        "44 e-mails would go",
        event("staff"),
        ORGANISER,
        way=look_at_the_invitation,
    ),
    Case("desk-invite-off", "organiser.invite", "That did not happen", "", event("past"), ORGANISER, 409),
    Case("desk-invite-again", "organiser.invite_again", "Invite again", values=event("inviting"), who=ORGANISER),
    Case("invited", "invitations.answer", "", "{inviting.title}", lambda known: {"token": known.invitations["open"]}),
    Case("said-no", "invitations.answer", "", "{inviting.title}", lambda known: {"token": known.invitations["no"]}),
    Case(
        "invited-book",
        "bookings.book",
        "Book places: ",
        "Book places",
        lambda known: {"event_id": known.inviting.id, "invitation": known.invitations["open"]},
    ),
    Case("desk-outbox", "organiser.outbox", "Outbox", who=ORGANISER),
    Case("desk-outbox-nothing", "organiser.outbox", "Outbox", values=query(q="zzzz"), who=ORGANISER),
    Case("desk-people", "organiser.people", "People", who=ORGANISER),
    Case("desk-people-lead", "organiser.people", "People", who=LEAD),
    Case("settings", "organiser.settings", "Settings", who=ORGANISER),
    Case("settings-partnership", "organiser.partnership", "The partnership", who=ORGANISER),
    Case("settings-year", "organiser.half_terms", "Half terms", values=half_terms_of_this_year, who=ORGANISER),
    Case("settings-kind", "organiser.kind", "SENCo forum", values=query(row_id=1), who=ORGANISER),
    Case("settings-audience", "organiser.audience", "SENCos", values=query(row_id=1), who=ORGANISER),
    Case("settings-new-venue", "organiser.venue", "New venue", who=ORGANISER),
    Case("desk-log", "organiser.log", "Log", "What the team did", who=ORGANISER),
    Case("who-comes", "bookings_manage.places", "Who comes: A talk in", "Who comes", event("narrow"), ORGANISER),
    Case("who-comes-full", "bookings_manage.places", "Who comes: Solution", "Who comes", event("full"), ORGANISER),
    Case(
        "who-comes-nobody", "bookings_manage.places", "Who comes: A talk that", "Who comes", event("nobody"), ORGANISER
    ),
    Case("who-comes-no-fit", "bookings_manage.places", "Who comes", values=event("open", q="zzzz"), who=ORGANISER),
    Case("who-comes-add", "bookings_manage.add", "Add somebody: Writ", "Add somebody", event("open"), ORGANISER),
    Case(
        "who-comes-cancel",
        "bookings_manage.cancel",
        "Cancel Priya Nair’s place",
        "Cancel Priya Nair’s place?",
        lambda known: {"event_id": known.open.id, "place_id": known.place_id},
        ORGANISER,
    ),
    Case("who-comes-add-private", "bookings_manage.add", "Add somebody", values=event("private"), who=ORGANISER),
    Case("who-comes-one", "bookings_manage.place", "Priya Nair: Writing", "Priya Nair", priyas_place, ORGANISER),
    Case("who-comes-one-waits", "bookings_manage.place", "Maximiliana", "Maximiliana", who_waits, ORGANISER),
    Case("who-comes-edit", "bookings_manage.edit", "Details of Priya Nair", values=priyas_place, who=ORGANISER),
    Case("who-comes-booker", "bookings_manage.edit_booking", "Who booked for", "", priyas_place, ORGANISER),
    Case("who-comes-swap", "bookings_manage.swap", "Swap Priya", "Who comes instead", priyas_place, ORGANISER),
    Case("who-comes-move", "bookings_manage.move", "Another date for Priya Nair", "", priyas_place, ORGANISER),
    Case("who-comes-beyond", "bookings_manage.beyond", "Let in beyond", "Let Maximiliana", who_waits, ORGANISER),
    Case("who-comes-write", "bookings_manage.message", "Write to the", "Write to them", event("open"), ORGANISER),
    Case(
        "who-comes-preview",
        "bookings_manage.message",
        "Look at your message: Writing",
        "2 e-mails would go",
        event("open"),
        ORGANISER,
        way=look_at_a_message,
    ),
    Case("who-comes-sign", "bookings_manage.printed", "List to sign: W", "{open.title}", event("open"), ORGANISER),
    Case(
        "refused",
        "organiser.delete_draft",
        "That did not happen",
        values=event("stale"),
        who=ORGANISER,
        status=409,
        way=delete_what_was_published_meanwhile,
    ),
    # Before anything has happened.
    Case("empty-home", "calendar.home", "What is on", HOME, site="empty"),
    Case("empty-planner", "calendar.planner", "Year planner", site="empty"),
    Case("empty-list", "calendar.events", "Events", site="empty"),
    Case("empty-subscribe", "feeds.subscribe", "Subscribe", "Keep these dates in your own calendar", site="empty"),
    Case("empty-mailbox", "notifications.mailbox", "Mailbox", "Mailbox of the demonstration", site="empty"),
    Case("empty-my", "bookings.my", "My bookings", who=ORGANISER, site="empty"),
    Case("empty-desk", "organiser.desk", "Desk", who=ORGANISER, site="empty"),
    Case("empty-events", "organiser.events", "Events", who=ORGANISER, site="empty"),
    Case("empty-settings", "organiser.settings", "Settings", who=ORGANISER, site="empty"),
    # Without any kind of event there cannot be an event.
    Case("empty-new", "organiser.kind", "New kind of event", who=ORGANISER, site="empty", way=ask_for_a_new_event),
    Case("empty-reminders", "organiser.reminders", "Reminders", who=ORGANISER, site="empty"),
    Case(
        "empty-coming",
        "organiser.coming_reminders",
        "Reminders of the coming",
        "What goes in the coming fortnight",
        who=ORGANISER,
        site="empty",
    ),
    Case("empty-dates", "reminders.mine", "Which dates we tell you of", who=ORGANISER, site="empty"),
    Case("empty-digest", "digests.latest", "The weekly e-mail", site="empty"),
    Case("empty-digest-subscribe", "digests.subscribe", "Get the weekly e-mail", site="empty"),
    Case("empty-desk-digest", "digests_manage.digest", "Weekly e-mail", who=ORGANISER, site="empty"),
    Case("empty-outbox", "organiser.outbox", "Outbox", who=ORGANISER, site="empty"),
    Case("empty-people", "organiser.people", "People", who=ORGANISER, site="empty"),
    Case("empty-log", "organiser.log", "Log", "What the team did", who=ORGANISER, site="empty"),
]


@pytest.fixture(scope="module")
def application() -> Flask:
    return make_app("sqlite://")


def test_no_page_is_forgotten(application: Flask) -> None:
    there = {rule.endpoint for rule in application.url_map.iter_rules() if "GET" in rule.methods}
    assert there - {case.endpoint for case in CASES} == NO_PAGES


@pytest.mark.parametrize("case", CASES, ids=lambda case: case.name)
def test_a_page_serves_everyone(case: Case, request: pytest.FixtureRequest, visit: Visit, application: Flask) -> None:
    site: Site = request.getfixturevalue(case.site)
    page = visit(site, case.who, only_looks=case.way is None)
    address = application.url_map.bind("any").build(case.endpoint, case.values(site.known))
    with documents(page) as answers:
        if case.way:
            case.way(page, site.known)
        else:
            page.goto(address)
        expect(page).to_have_url(site.address + address)
        page.wait_for_load_state()  # what led here may have been a press: its answer has only begun to come
    assert answers[-1].status == case.status
    title = case.title.format_map(vars(site.known))
    assert page.title().startswith(title)
    assert page.title().endswith(" – Vale & Marsh – Calendar & bookings")
    heading = (case.heading or case.title.removeprefix("Error: ")).format_map(vars(site.known))
    assert page.locator("h1").inner_text().startswith(heading)
    assert problems_of(page, case.name) == []
    skip_to_the_main_part(page)


def skip_to_the_main_part(page: Page) -> None:
    page.keyboard.press("Tab")
    skip = page.get_by_role("link", name="Skip to main content")
    expect(skip).to_be_focused()
    expect(skip).to_be_in_viewport()
    page.keyboard.press("Enter")
    expect(page.get_by_role("main")).to_be_focused()
