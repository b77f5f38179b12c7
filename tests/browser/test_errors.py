"""Every form sent empty or wrong: the errors are heard first, and each leads to its field."""

import re
from collections.abc import Callable
from dataclasses import dataclass, field
from datetime import timedelta
from itertools import count
from types import SimpleNamespace

import pytest
from playwright.sync_api import Page, expect

from booking.calendar.terms import school_year_of, year_name
from booking.core.clock import today
from tests.browser.look import Visit, problems_of
from tests.browser.site import ORGANISER, SENCO, Site

pytestmark = pytest.mark.xdist_group("browser-forms")

TOMORROW = (today() + timedelta(days=1)).isoformat()
YESTERDAY = (today() - timedelta(days=1)).isoformat()
number = count(1)


def nothing(_page: Page, _known: SimpleNamespace) -> None:
    pass


@dataclass(frozen=True, slots=True)
class Sent:
    """A form, what is typed into it, and which errors it shows in which order."""

    name: str
    address: str
    button: str
    errors: list[str]
    # The id of a field, and what is typed there; a box is ticked.
    typed: dict[str, str] = field(default_factory=dict)
    who: str = ""
    status: int = 422
    # Where the address alone does not lead there.
    way: Callable[[Page, SimpleNamespace], None] = nothing


def ask_for_a_code(page: Page, _known: SimpleNamespace) -> None:
    page.goto("/sign-in")
    page.get_by_label("Your e-mail address").fill(f"somebody-{next(number)}@oakhurst.example")
    page.get_by_role("button", name="Send me the e-mail").click()


def choose_its_own_reminders(page: Page, known: SimpleNamespace) -> None:
    page.goto(f"/manage/events/{known.open.id}/reminders/")
    page.get_by_label("its own, as below").check()


def add_a_reminder_in_own_words(page: Page, _known: SimpleNamespace) -> None:
    page.goto("/manage/reminders/1")
    page.get_by_role("button", name="Add another").click()
    page.wait_for_url("**/manage/reminders/1#rules-3-number")
    page.get_by_text("In your own words").last.click()


NAME, EMAIL = "Enter your name", "Enter your e-mail address"
AN_EMAIL = "Enter an e-mail address like name@school.example"
AT_MOST_500 = "Use at most 500 letters"
HALF_TERMS = f"/manage/settings/half-terms/{year_name(school_year_of(today()))}"
FORMS = [
    Sent("book-empty", "/events/{open.id}/book", "Book", [NAME, EMAIL]),
    Sent(
        "book-wrong",
        "/events/{open.id}/book",
        "Book",
        [NAME, AN_EMAIL, "Enter your colleague’s name, or empty the e-mail address too", AT_MOST_500],
        {"email": "priya@oakhurst", "places-0-email": "daniel@oakhurst.example", "needs": "a" * 501},
    ),
    Sent(
        "book-nobody",
        "/events/{open.id}/book",
        "Book",
        ["Name at least one person who comes"],
        {"name": "Priya Nair", "email": "priya@oakhurst.example", "not_attending": "y"},
    ),
    Sent(
        "book-named-twice",
        "/events/{open.id}/book",
        "Book",
        ["Ada Obi is named twice. Give each person one place."],
        {
            "name": "Ada Obi",
            "email": "ada@twice.example",
            "places-0-name": "Ada Obi",
            "places-0-email": "ada@twice.example",
        },
        status=409,
    ),
    Sent("book-waiting", "/events/{full.id}/book", "Join the waiting list", [NAME, EMAIL]),
    Sent("sign-in-empty", "/sign-in", "Send me the e-mail", [EMAIL]),
    Sent("sign-in-wrong", "/sign-in", "Send me the e-mail", [AN_EMAIL], {"email": "priya"}),
    Sent("digest-empty", "/digest/subscribe", "Send me the link", [EMAIL]),
    Sent("digest-wrong", "/digest/subscribe", "Send me the link", [AN_EMAIL], {"email": "grace"}),
    Sent(
        "digest-at-night",
        "/manage/digest/when",
        "Save",
        ["Choose a time within the kind hours, 7am to 6.30pm."],
        {"at": "22:00"},
        ORGANISER,
        409,
    ),
    Sent("code-empty", "/sign-in/code", "Sign in", ["Enter the six digits of the e-mail"], way=ask_for_a_code),
    Sent(
        "code-wrong", "/sign-in/code", "Sign in", ["Enter six digits, like 123456"], {"code": "abc"}, way=ask_for_a_code
    ),
    Sent(
        "code-of-another",
        "/sign-in/code",
        "Sign in",
        ["That is not the code, or it is older than 15 minutes. Use the newest e-mail."],
        {"code": "000000"},
        status=409,
        way=ask_for_a_code,
    ),
    Sent("details-empty", "/my/details", "Save", [NAME], {"name": ""}, SENCO),
    Sent(
        "list-dates",
        "/events/",
        "Show events",
        ["The first day is after the last. Swap them."],
        {"from": TOMORROW, "to": YESTERDAY},
        status=400,
    ),
    Sent(
        "feed-days",
        "/feeds/",
        "Make the address",
        ["The first day is after the last. Swap them."],
        {"from": TOMORROW, "to": YESTERDAY},
        status=400,
    ),
    Sent("event-empty", "/manage/events/new", "Save as a draft", ["Enter a title", "Enter the day"], who=ORGANISER),
    Sent(
        "event-wrong",
        "/manage/events/{open.id}/edit",
        "Save",
        [
            "Use at most 200 letters",
            "The last day has to be after the first, or empty",
            "Use at most 120 letters",
            "Use at most 20,000 letters",
            "Use at most 120 letters",
            "Enter an address that begins with https://",
            "Enter a whole number, like 30",
            "Enter a number from 1 to 50",
            "Enter the day too, or leave the time empty",
        ],
        {
            "title": "a" * 201,
            "description": "a" * 20_001,
            "cost": "a" * 121,
            "joining_link": "meet.example.org",
            "day": TOMORROW,
            "last_day": YESTERDAY,
            "venue": "a" * 121,
            "capacity": "many",
            "places_per_booking": "51",
            "closes_time": "12:00",
        },
        ORGANISER,
    ),
    Sent(
        "event-times",
        "/manage/events/{open.id}/edit",
        "Save",
        ["The end has to be after the start", "Booking has to close before the event starts"],
        {"day": TOMORROW, "starts": "13:00", "ends": "12:00", "closes_day": TOMORROW, "closes_time": "14:00"},
        ORGANISER,
    ),
    Sent(
        "event-too-few-places",
        "/manage/events/{open.id}/edit",
        "Save",
        ["2 places are taken already, so there cannot be fewer. Cancel places first."],
        {"capacity": "1"},
        ORGANISER,
        409,
    ),
    Sent(
        "event-cancel",
        "/manage/events/{open.id}/cancel",
        "Cancel the event",
        ["Use at most 300 letters"],
        {"note": "a" * 301},
        ORGANISER,
    ),
    Sent("place-add-empty", "/manage/events/{open.id}/places/add", "Add", [NAME, EMAIL], who=ORGANISER),
    Sent("role-empty", "/manage/people/", "Give the role", ["Enter the e-mail address of the person"], who=ORGANISER),
    Sent("role-wrong", "/manage/people/", "Give the role", [AN_EMAIL], {"email": "tom"}, ORGANISER),
    Sent(
        "event-hosts",
        "/manage/events/{open.id}/edit",
        "Save",
        ["Line 2: “lee@school” is not an e-mail address. Write it like name@school.example."],
        {"hosts": "Amina Yusuf <amina@hall.example>\nlee@school"},
        ORGANISER,
    ),
    Sent(
        "reminders-kind",
        "/manage/reminders/1",
        "Save",
        [
            "Enter a number, such as 7",
            "Two reminders are the same. Take one of them out.",
            "There is no merge word [nmae]. Did you mean [name]?",
        ],
        {
            "rules-0-number": "soon",
            "rules-2-number": "1",
            "rules-3-number": "2",
            "rules-3-subject": "Soon",
            "rules-3-text": "Dear [nmae]",
        },
        ORGANISER,
        way=add_a_reminder_in_own_words,
    ),
    Sent(
        "reminders-preview",
        "/manage/reminders/1",
        "Preview",
        ["A reminder goes at most 60 days before or after."],
        {"rules-0-number": "61"},
        ORGANISER,
    ),
    Sent(
        "reminders-event",
        "/manage/events/{open.id}/reminders/",
        "Save",
        ["A reminder goes at most 60 days before or after."],
        {"rules-1-number": "61"},
        ORGANISER,
        way=choose_its_own_reminders,
    ),
    Sent(
        "kind-hours",
        "/manage/reminders/",
        "Save the hours",
        ["The end has to be after the beginning."],
        {"first": "09:00", "last": "08:00"},
        ORGANISER,
        409,
    ),
    Sent(
        "partnership",
        "/manage/settings/partnership",
        "Save",
        ["Enter the name", "Enter a short name", AN_EMAIL],
        {"name": "", "short_name": "", "email": "team"},
        ORGANISER,
    ),
    Sent("kind-empty", "/manage/settings/kinds/new", "Save", ["Enter a name", "Enter two letters"], who=ORGANISER),
    Sent(
        "kind-there",
        "/manage/settings/kinds/new",
        "Save",
        ["There is one called SENCo forum already."],
        {"name": "SENCo forum", "letters": "SF"},
        ORGANISER,
        409,
    ),
    Sent("audience-empty", "/manage/settings/audiences/new", "Save", ["Enter a name"], who=ORGANISER),
    Sent("venue-empty", "/manage/settings/venues/new", "Save", ["Enter a name"], who=ORGANISER),
    Sent("half-terms", HALF_TERMS, "Save", ["Enter the first school day of half term 1"], {"first_1": ""}, ORGANISER),
]


def send(page: Page, form: Sent, known: SimpleNamespace) -> int:
    """Open the form, type, and press the button; return the status of the answer."""
    form.way(page, known)
    address = form.address.format_map(vars(known))
    if not page.url.partition("#")[0].endswith(address):
        page.goto(address)
    for name, text in form.typed.items():
        control = page.locator(f"[id='{name}']")
        if control.get_attribute("type") in {"checkbox", "radio"}:
            control.check()
        else:
            control.fill(text)
    with page.expect_navigation() as answer:
        page.get_by_role("button", name=form.button, exact=True).click()
    return answer.value.status


@pytest.mark.parametrize("form", FORMS, ids=lambda form: form.name)
def test_each_error_is_said_first_and_leads_to_its_field(form: Sent, demo: Site, visit: Visit) -> None:
    page = visit(demo, form.who, only_looks=form.way is nothing)
    assert send(page, form, demo.known) == form.status
    assert page.title().startswith("Error: ")
    summary = page.locator(".govuk-error-summary")
    expect(summary).to_be_focused()
    links = summary.get_by_role("link")
    assert links.all_inner_texts() == form.errors
    assert problems_of(page, f"wrong-{form.name}") == []
    for link in links.all():
        link.click()
        focused = page.locator(":focus")
        expect(focused).to_have_accessible_description(re.compile(re.escape(link.inner_text())))
        expect(focused).to_be_in_viewport()
        assert focused.get_attribute("id") == link.get_attribute("href").removeprefix("#")
        assert focused.evaluate("it => it.matches('input, select, textarea, fieldset')")


@pytest.mark.parametrize("form", [form for form in FORMS if len(form.errors) > 1], ids=lambda form: form.name)
def test_each_error_leads_to_its_field_without_scripts(form: Sent, demo: Site, visit: Visit) -> None:
    page = visit(demo, form.who, scripts=False)
    assert send(page, form, demo.known) == form.status
    assert page.title().startswith("Error: ")
    links = page.locator(".govuk-error-summary").get_by_role("link")
    assert links.all_inner_texts() == form.errors
    for link in links.all():
        target = page.locator(f"[id='{link.get_attribute('href').removeprefix('#')}']")
        expect(target).to_have_accessible_description(re.compile(re.escape(link.inner_text())))
