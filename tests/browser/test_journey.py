"""The main job, end to end: what is on, booking, waiting, organising, and the calendar in everybody's pocket."""

import csv
import io
from dataclasses import dataclass
from datetime import date
from email.message import EmailMessage
from pathlib import Path
from types import SimpleNamespace

import pytest
from icalendar import Calendar, Event
from playwright.sync_api import Download, Locator, Page, expect
from python_calamine import CalamineWorkbook

from booking.calendar.terms import school_year_of, year_name
from booking.calendar.wording import say_day
from tests.browser.look import NARROW, WIDE, Visit
from tests.browser.site import LEAD, ORGANISER, Mailbox, Site

pytestmark = pytest.mark.xdist_group("browser-forms")

# What has the focus stands on the screen, and differs from how it looks without.
IS_MARKED = """it => {
  const look = () => { const {outline, boxShadow, backgroundColor} = getComputedStyle(it);
                       return [outline, boxShadow, backgroundColor].join(); };
  const box = it.getBoundingClientRect(), focused = look();
  it.blur();
  const plain = look();
  it.focus({focusVisible: true, preventScroll: true});
  return focused !== plain && box.bottom > 0 && box.top < innerHeight && box.width > 0;
}"""
SCHOOL = "Oakhurst Primary School"


@dataclass(frozen=True, slots=True)
class Device:
    """What somebody looks with."""

    name: str
    width: int
    scripts: bool

    def open(self, visit: Visit, site: Site, who: str = "") -> Page:
        return visit(site, who, width=self.width, scripts=self.scripts)


DEVICES = [Device("no-scripts", WIDE, scripts=False), Device("phone", NARROW, scripts=True)]
on_each_device = pytest.mark.parametrize("device", DEVICES, ids=lambda device: device.name)


def outcome(page: Page) -> str:
    return page.get_by_role("main").get_attribute("data-outcome")


def statuses(page: Page) -> list[str]:
    return [row.get_attribute("data-status") for row in page.locator("[data-status]").all()]


def press(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("button", name=name, exact=True).click()


def follow(page: Page, name: str) -> None:
    with page.expect_navigation():
        page.get_by_role("link", name=name, exact=True).click()


def unfold(page: Page) -> None:
    """Open the filters where a narrow screen folds them away."""
    fold = page.locator("summary:visible")
    if fold.count():
        fold.click()


def who_comes(page: Page, name: str) -> Locator:
    return page.get_by_role("row").filter(has=page.get_by_role("rowheader", name=name))


def book(page: Page, address: str, name: str, email: str, button: str = "Book") -> None:
    page.goto(address)
    page.get_by_label("Your name").fill(name)
    page.get_by_label("Your e-mail address").fill(email)
    press(page, button)


def in_calendar(mail: EmailMessage) -> tuple[str, Event]:
    """Return what a mail says to calendars: the method, and the event."""
    assert [part.get_content_type() for part in mail.walk()] == [
        "multipart/alternative",
        "text/plain",
        "text/html",
        "text/calendar",
    ]
    part = list(mail.walk())[-1]
    calendar = Calendar.from_ical(part.get_content())
    assert part.get_param("method") == calendar["METHOD"]
    return str(calendar["METHOD"]), calendar.walk("VEVENT")[0]


def link_of(mail: EmailMessage, kind: str) -> str:
    """Return the address of this kind in a mail."""
    text = mail.get_body(("plain",)).get_content()
    return next(word for word in text.split() if f"/{kind}/" in word)


@on_each_device
def test_a_senco_books_for_two_and_her_colleague_gives_his_place_back(device: Device, demo: Site, visit: Visit) -> None:
    event, page = demo.known.twilight, device.open(visit, demo)
    priya, daniel = f"priya@{device.name}.example", f"daniel@{device.name}.example"
    mailbox = Mailbox(page)

    find(page, event)
    expect(page.get_by_role("heading", level=1)).to_have_text(event.title)
    follow(page, "Book places")
    page.get_by_label("Your name").fill("Priya Nair")
    page.get_by_label("Your e-mail address").fill(priya)
    page.get_by_label("Your school or setting").select_option(SCHOOL)
    colleague = page.get_by_role("group", name="Your colleague (optional)")
    colleague.get_by_label("Name").fill("Daniel Achebe")
    colleague.get_by_label("E-mail address (optional)").fill(daniel)
    press(page, "Book")
    expect(page.get_by_role("heading", level=1)).to_have_text("Both places are booked")
    assert (outcome(page), statuses(page)) == ("confirmed", ["confirmed", "confirmed"])
    booking = page.url

    _, mail = mailbox.take(priya, "Booked: " + event.title)
    assert (link_of(mail, "bookings"), mail["To"]) == (booking, f"Priya Nair <{priya}>")
    method, entry = in_calendar(mail)
    assert (method, entry["SUMMARY"], entry["ATTENDEE"]) == ("REQUEST", event.title, f"mailto:{priya}")
    address, mail = mailbox.take(daniel, "Booked: " + event.title)
    assert in_calendar(mail)[0] == "REQUEST"

    mine = device.open(visit, demo)
    mine.goto(address)
    with mine.expect_navigation():
        mine.locator("a[href*='/places/']").first.click()
    expect(mine.get_by_role("heading", level=1)).to_have_text("You have a place")
    assert (outcome(mine), statuses(mine)) == ("confirmed", ["confirmed"])
    expect(mine.get_by_text(priya)).to_have_count(0)
    follow(mine, "Cancel my place")
    press(mine, "Cancel the place")
    expect(mine.get_by_role("heading", level=1)).to_have_text("Your place is cancelled")
    assert (outcome(mine), statuses(mine)) == ("cancelled", ["cancelled"])

    _, mail = mailbox.take(daniel, "Cancelled: your booking for " + event.title)
    method, gone = in_calendar(mail)
    assert (method, gone["STATUS"], gone["UID"]) == ("CANCEL", "CANCELLED", entry["UID"])
    mailbox.take(priya, "Cancelled: your booking for " + event.title)
    page.goto(booking)
    assert (outcome(page), statuses(page)) == ("cancelled", ["confirmed", "cancelled"])


@on_each_device
def test_a_senco_swaps_in_a_colleague_who_changes_to_another_date(device: Device, demo: Site, visit: Visit) -> None:
    event, page = demo.known.open, device.open(visit, demo)
    sara, omar = f"sara@{device.name}.example", f"omar@{device.name}.example"
    mailbox = Mailbox(page)
    book(page, f"/events/{event.id}/book", "Sara Malik", sara)
    expect(page.get_by_role("heading", level=1)).to_have_text("You are booked")
    booking = page.url
    mailbox.take(sara, "Booked: " + event.title)

    follow(page, "Swap Sara Malik")
    page.get_by_label("Name of who comes instead").fill("Omar Haddad")
    page.get_by_label("Their e-mail address (optional)").fill(omar)
    press(page, "Swap")
    expect(page.get_by_role("heading", level=1)).to_have_text("Omar Haddad is booked")
    assert (page.url, outcome(page), statuses(page)) == (booking, "saved", ["confirmed"])
    _, mail = mailbox.take(omar, "You have a place: " + event.title)
    method, entry = in_calendar(mail)
    assert (method, entry["ATTENDEE"]) == ("REQUEST", f"mailto:{omar}")
    _, mail = mailbox.take(sara, "Changed: " + event.title)
    assert in_calendar(mail)[0] == "CANCEL"

    follow(page, "Change date for Omar Haddad")
    page.get_by_role("radio").first.check()
    press(page, "Change date")
    expect(page.get_by_role("heading", level=1)).to_have_text("Omar Haddad is booked")
    assert (page.url == booking, outcome(page), statuses(page)) == (False, "confirmed", ["confirmed"])
    _, mail = mailbox.take(omar, "Booked: " + demo.known.twilight.title)
    assert in_calendar(mail)[1]["UID"] != entry["UID"]
    _, mail = mailbox.take(omar, "Changed to another date: " + event.title)
    method, gone = in_calendar(mail)
    assert (method, gone["UID"]) == ("CANCEL", entry["UID"])
    page.goto(booking)
    expect(page.get_by_role("heading", level=1)).to_have_text("Your booking has changed to another date")


@on_each_device
def test_whoever_waits_longest_gets_the_place_that_an_organiser_cancels(
    device: Device, demo: Site, visit: Visit
) -> None:
    event, page, desk = demo.known.full, device.open(visit, demo), device.open(visit, demo)
    farah = f"farah@{device.name}.example"
    mailbox = Mailbox(page)

    page.goto(event.path)
    expect(page.locator(".pill--full")).to_have_text("Full")
    waiting = int(page.locator(".bookbox__big").inner_text().split()[0])
    follow(page, "Join the waiting list")
    book(page, page.url, "Farah Iqbal", farah, "Join the waiting list")
    expect(page.get_by_role("heading", level=1)).to_have_text("You are on the waiting list")
    assert (outcome(page), statuses(page)) == ("waiting", ["waiting"])
    expect(page.get_by_text(f"number {waiting + 1} in the queue")).to_be_visible()

    desk.goto("/")
    follow(desk, "Try it as an organiser")
    press(desk, "Sign in as an organiser")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Desk")
    desk.goto(f"/manage/events/{event.id}/places/")
    everybody = statuses(desk)
    first = desk.locator("tr[data-status=waiting]").first.get_by_role("rowheader").inner_text().split("\n")
    leaves = desk.locator("tr[data-status=confirmed]").first
    name = leaves.get_by_role("rowheader").inner_text().split("\n")[0]
    leaves.get_by_role("link", name="Cancel").click()
    press(desk, "Cancel the place")
    expect(desk.get_by_role("status")).to_have_text(f"{name}’s place is cancelled. They have an e-mail.")
    assert statuses(desk).count("confirmed") == everybody.count("confirmed")
    assert statuses(desk).count("waiting") == everybody.count("waiting") - 1
    expect(who_comes(desk, first[0])).to_have_attribute("data-status", "confirmed")

    _, mail = mailbox.take(farah, "Waiting list: " + event.title)
    assert "text/calendar" not in [part.get_content_type() for part in mail.walk()]
    _, mail = mailbox.take(first[1], "A place has come free: " + event.title)
    method, entry = in_calendar(mail)
    assert (method, entry["ATTENDEE"]) == ("REQUEST", f"mailto:{first[1]}")
    page.reload()
    expect(page.get_by_text(f"number {waiting} in the queue")).to_be_visible()
    press(desk, "Sign out")
    expect(desk.get_by_role("status")).to_have_text("You are signed out.")
    desk.goto("/manage/")
    expect(desk.get_by_role("heading", level=1)).to_have_text("Sign in")


@on_each_device
def test_an_organiser_signs_in_by_the_code_and_by_the_link_of_a_mail(device: Device, demo: Site, visit: Visit) -> None:
    page = device.open(visit, demo)
    mailbox = Mailbox(page)

    page.goto("/manage/outbox/")
    page.get_by_label("Your e-mail address").fill(LEAD)
    press(page, "Send me the e-mail")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look at your e-mail")
    _, mail = mailbox.take(LEAD, "is your code to sign in")
    page.get_by_label("The six digits in the e-mail").fill(mail["Subject"].split()[0])
    press(page, "Sign in")
    expect(page.get_by_role("heading", level=1)).to_have_text("Outbox")
    press(page, "Sign out")

    page.get_by_role("contentinfo").get_by_role("link", name="Sign in").click()
    page.get_by_label("Your e-mail address").fill(LEAD)
    press(page, "Send me the e-mail")
    address, mail = mailbox.take(LEAD, "is your code to sign in")
    elsewhere = device.open(visit, demo)
    elsewhere.goto(address)
    elsewhere.locator("a[href*='/sign-in/']").click()
    press(elsewhere, "Sign in")
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("Desk")
    press(elsewhere, "Sign out")
    elsewhere.goto(link_of(mail, "sign-in"))
    expect(elsewhere.get_by_role("heading", level=1)).to_have_text("This link is of no use any more")


@on_each_device
def test_an_organiser_makes_publishes_moves_and_cancels_an_event(
    device: Device, demo: Site, visit: Visit, tmp_path: Path
) -> None:
    title, days = f"Reading with your ears ({device.name})", (demo.known.full.day, demo.known.other_day)
    sam, mia = f"sam@{device.name}.example", f"mia@{device.name}.example"
    desk, page = device.open(visit, demo, ORGANISER), device.open(visit, demo)
    mailbox = Mailbox(page)

    make_draft(desk, title, days[0])
    public = desk.get_by_role("link", name="Public page").get_attribute("href")
    assert page.goto(public).status == 404
    press(desk, "Publish")
    expect(desk.get_by_role("status").first).to_have_text("Published: it is on the calendar now.")
    manage = desk.url

    page.goto(f"/calendar/{year_name(school_year_of(days[0]))}/")
    page.get_by_role("link", name=title).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(title)
    book(page, page.get_by_role("link", name="Book places").get_attribute("href"), "Sam Lee", sam)
    assert outcome(page) == "confirmed"

    follow(desk, "Edit or move")
    desk.get_by_label("Day", exact=True).fill(days[1].isoformat())
    press(desk, "Save")
    expect(desk.get_by_role("status").first).to_have_text("Saved. 1 person told of the move.")

    follow(desk, "Who comes")
    follow(desk, "Add somebody")
    desk.get_by_label("Their name").fill("Mia Brown")
    desk.get_by_label("Their e-mail address").fill(mia)
    press(desk, "Add")
    expect(desk.get_by_role("status")).to_have_text("Mia Brown is confirmed. They have an e-mail.")
    assert (outcome(desk), statuses(desk)) == ("saved", ["confirmed", "confirmed"])
    _, booked = in_calendar(mailbox.take(sam, f"Booked: {title}")[1])
    method, moved = in_calendar(mailbox.take(sam, f"New date: {title}, {say_day(days[1])}")[1])
    assert (method, moved["UID"], moved.start.date()) == ("REQUEST", booked["UID"], days[1])
    assert (booked.start.date(), moved["SEQUENCE"] > booked["SEQUENCE"]) == (days[0], True)
    assert in_calendar(mailbox.take(mia, f"Booked: {title}")[1])[0] == "REQUEST"

    lists = [rows_of(download(desk, f"Download (.{kind})"), tmp_path) for kind in ("csv", "xlsx")]
    assert lists[0] == lists[1]
    assert [row[1:6] for row in lists[0]] == [
        ["Name", "E-mail", "School", "Status", "Waiting number"],
        ["Sam Lee", sam, "", "confirmed", ""],
        ["Mia Brown", mia, "", "confirmed", ""],
    ]

    desk.goto(manage)
    follow(desk, "Cancel this event")
    desk.get_by_label("What to tell them (optional)").fill("The speaker is ill.")
    press(desk, "Cancel the event")
    expect(desk.get_by_role("status").first).to_have_text("Cancelled. 2 e-mails on the way.")
    for email in (sam, mia):
        method, gone = in_calendar(mailbox.take(email, f"Event cancelled: {title}")[1])
        assert (method, gone["STATUS"], gone["UID"]) == ("CANCEL", "CANCELLED", booked["UID"])
    page.goto(public)
    expect(page.get_by_text("Cancelled. The speaker is ill.")).to_be_visible()
    expect(page.get_by_role("link", name="Book places")).to_have_count(0)
    feed = Calendar.from_ical(page.request.get("/feeds/calendar.ics").body())
    assert [entry["STATUS"] for entry in feed.walk("VEVENT") if entry["UID"] == booked["UID"]] == ["CANCELLED"]


def find(page: Page, event: SimpleNamespace) -> None:
    """Go from the home page by the planner and the filters of the list to an event."""
    page.goto("/")
    expect(page.get_by_role("link", name="Try it as an organiser")).to_be_visible()
    page.get_by_role("navigation", name="Main").get_by_role("link", name="Year").click()
    year = year_name(school_year_of(event.day))
    page.get_by_role("list", name="School year").get_by_role("link", name=year).click()
    expect(page.get_by_role("heading", level=1)).to_have_text(f"Year planner {year}")
    assert page.get_by_role("link", name=event.title).get_attribute("href") == event.path

    page.get_by_role("navigation", name="Main").get_by_role("link", name="Events").click()
    unfold(page)
    page.get_by_label("Workshops and training").check()
    page.get_by_label("Only with places left").check()
    press(page, "Show events")
    assert {row.inner_text().split("\n")[0] for row in page.locator(".catline").all()} == {"WT Workshops and training"}
    page.get_by_role("heading", level=3, name=event.title).get_by_role("link").click()


def make_draft(desk: Page, title: str, day: date) -> None:
    desk.goto("/manage/")
    follow(desk, "New event")
    desk.get_by_label("Title").fill(title)
    desk.get_by_label("Kind of event").select_option("Workshops and training")
    desk.get_by_label("Day", exact=True).fill(day.isoformat())
    desk.get_by_label("Start, or closing time").fill("13:30")
    desk.get_by_label("End", exact=True).fill("15:00")
    desk.get_by_label("Where").fill("Oak Suite")
    desk.get_by_label("Places in all").fill("2")
    press(desk, "Save as a draft")
    expect(desk.get_by_role("heading", level=1)).to_have_text(title)
    assert outcome(desk) == "saved"


def download(page: Page, link: str) -> Download:
    with page.expect_download() as started:
        page.get_by_role("link", name=link, exact=True).click()
    return started.value


def rows_of(file: Download, folder: Path) -> list[list[str]]:
    path = folder / file.suggested_filename
    file.save_as(path)
    if path.suffix == ".csv":
        return list(csv.reader(io.StringIO(path.read_text("utf-8-sig"))))
    return CalamineWorkbook.from_path(path).get_sheet_by_index(0).to_python()


def test_a_place_is_booked_by_keyboard_alone(demo: Site, visit: Visit) -> None:
    event, page = demo.known.course, visit(demo)
    page.goto(event.path)
    tab_to(page, page.get_by_role("link", name="Book places"))
    page.keyboard.press("Enter")
    typed = {
        "Your name": "Wen Novak",
        "Your e-mail address": "wen@keys.example",
        "Your school or setting": SCHOOL,  # typing chooses in a list
        "Name": "Ravi Shah",
    }
    for label, text in typed.items():
        tab_to(page, page.get_by_label(label, exact=True))
        page.keyboard.type(text)
    tab_to(page, page.get_by_label("Your school or setting"), "Shift+Tab")
    expect(page.locator("#school option:checked")).to_have_text(SCHOOL)
    tab_to(page, page.get_by_label("I book for others and am not coming myself"))
    page.keyboard.press("Space")
    tab_to(page, page.get_by_role("button", name="Book", exact=True))
    page.keyboard.press("Space")
    expect(page.get_by_role("heading", level=1)).to_have_text("Ravi Shah is booked")
    assert (outcome(page), statuses(page)) == ("confirmed", ["confirmed"])
    tab_to(page, page.get_by_role("link", name="Cancel Ravi Shah’s place"))
    page.keyboard.press("Enter")
    tab_to(page, page.get_by_role("button", name="Cancel the place"))
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", level=1)).to_have_text("Your booking is cancelled")


def test_enter_in_a_field_books(demo: Site, visit: Visit) -> None:
    page = visit(demo)
    page.goto(f"/events/{demo.known.course.id}/book")
    page.get_by_label("Your name").fill("Uma Fenn")
    page.get_by_label("Your e-mail address").fill("uma@enter.example")
    with page.expect_navigation():
        page.get_by_label("Your name").press("Enter")
    assert (outcome(page), statuses(page)) == ("confirmed", ["confirmed"])


def tab_to(page: Page, wanted: Locator, key: str = "Tab") -> None:
    """Press Tab until this is reached; each stop on the way can be seen, and is marked as the place of the focus."""
    expect(wanted).to_be_visible()
    for _ in range(60):
        page.keyboard.press(key)
        here = page.locator(":focus")
        assert here.evaluate(IS_MARKED), here.evaluate("it => it.outerHTML")
        if wanted.evaluate("it => it === document.activeElement"):
            return
    raise AssertionError(f"{wanted} is not reached by keyboard")
