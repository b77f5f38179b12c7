"""Schools answer: a closing date by one press from the mail, an invitation with no, and the boards of the organiser."""

import re

import pytest
from playwright.sync_api import Page, expect

from tests.browser.look import NARROW, Visit
from tests.browser.site import ORGANISER, SENCO, Mailbox, Site

pytestmark = pytest.mark.xdist_group("browser")
SCHOOL = "Oakhurst Primary School"


def row(page: Page) -> str:
    """Return where the school stands on the board that is open."""
    return page.get_by_role("row").filter(has_text=SCHOOL).first.get_attribute("data-status") or ""


def press(page: Page, name: str) -> None:
    page.get_by_role("button", name=name).click()


def link_in(text: str, before: str) -> str:
    found = re.search(rf"{before}:? (http\S+)", text)
    assert found is not None
    return found[1]


def answered(page: Page) -> int:
    found = re.search(r"(\d+) of \d+ schools", page.get_by_role("main").inner_text())
    assert found is not None
    return int(found[1])


def test_the_organiser_chases_and_one_press_from_the_mail_answers(visit: Visit, demo: Site) -> None:
    board = visit(demo, ORGANISER, scripts=False)
    mailbox = Mailbox(visit(demo))
    address = f"/manage/events/{demo.known.asks.id}/returns/"
    board.goto(address)
    before = answered(board)
    assert row(board) == "outstanding"
    press(board, "Chase now")
    expect(board.get_by_role("main")).to_contain_text("on the way to those who have not answered")
    _, mail = mailbox.take(SENCO, f"{demo.known.asks.title}, {SCHOOL}")
    school = visit(demo, width=NARROW)
    school.goto(link_in(mail.get_body(("plain",)).get_content(), "say so here with one press"))
    school.get_by_label("Your name").fill("Priya Nair")
    board.goto(address)
    assert row(board) == "outstanding"  # a look records nothing
    press(school, "Record this answer")
    expect(school.get_by_role("main")).to_have_attribute("data-outcome", "saved")
    board.goto(address)
    assert (row(board), answered(board)) == ("submitted", before + 1)
    press(board, "Chase now")
    expect(board.get_by_role("main")).to_contain_text("chased within the last hour")


def test_an_invitation_is_answered_with_no_and_changed_by_booking(visit: Visit, demo: Site) -> None:
    team = visit(demo, ORGANISER, scripts=False)
    mailbox = Mailbox(visit(demo))
    address = f"/manage/events/{demo.known.nobody.id}/invitations/"
    team.goto(address)
    team.get_by_role("link", name="Invite schools").click()
    team.locator("summary", has_text="Schools").click()
    team.get_by_label(SCHOOL).check()
    press(team, "Look at it first")
    expect(team.get_by_role("heading", level=1)).to_have_text("1 e-mail would go")
    press(team, "Send")
    expect(team.get_by_role("main")).to_contain_text("1 e-mail on the way.")
    assert row(team) == "open"
    _, mail = mailbox.take(SENCO, "You are invited: A talk that nobody has found yet")
    text = mail.get_body(("plain",)).get_content()
    school = visit(demo, width=NARROW)
    for _ in range(2):
        school.goto(link_in(text, "We cannot come"))
        school.get_by_label("Why, in one line").fill("Parents’ evening")
        press(school, "We cannot come" if school.get_by_text("Can nobody from").count() else "Save the reason")
        expect(school.get_by_role("main")).to_have_attribute("data-outcome", "saved")
        expect(school.get_by_role("heading", level=2).first).to_contain_text("nobody from Oakhurst Primary School can")
    team.goto(address)
    team.get_by_role("link", name="Said no 1").click()
    assert row(team) == "no"
    expect(team.get_by_role("main")).to_contain_text("Parents’ evening")
    school.get_by_role("link", name="Book after all").click()
    expect(school.get_by_label("Your name")).to_have_value("Priya Nair")
    school.get_by_role("button", name="Book", exact=True).click()
    expect(school.get_by_role("main")).to_have_attribute("data-outcome", "confirmed")
    team.goto(address)
    assert row(team) == "booked"
