"""The weekly mail, end to end: asked for by double opt-in, tried by an organiser, and left in one press."""

from urllib.parse import urlsplit

import pytest
from playwright.sync_api import expect

from tests.browser.look import Visit
from tests.browser.site import ORGANISER, Mailbox, Site
from tests.browser.test_journey import Device, follow, link_of, on_each_device, outcome, press

pytestmark = pytest.mark.xdist_group("browser")

# The scheduler looks for issues to send every twenty seconds.
UNTIL_THE_NEXT_LOOK = 40.0


@on_each_device
def test_a_parent_gets_the_weekly_mail_by_double_opt_in_and_leaves_it_in_one_press(
    device: Device, demo: Site, visit: Visit
) -> None:
    page, grace = device.open(visit, demo), f"grace@{device.name}.example"
    mailbox = Mailbox(page)

    page.goto("/")
    follow(page, "get this by e-mail")
    page.get_by_label("Your e-mail address").fill(grace)
    page.get_by_label("Parents and carers").check()
    press(page, "Send me the link")
    assert outcome(page) == "saved"
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")

    _, mail = mailbox.take(grace, "Do you want the weekly e-mail")
    confirm = link_of(mail, "digest/confirm")
    assert page.request.get(confirm).ok  # a mail scanner was here
    page.goto(confirm)
    press(page, "Yes, send it to me")
    expect(page.get_by_role("heading", level=1)).to_have_text("The weekly e-mail comes to you")
    page.goto(confirm)
    expect(page.get_by_role("heading", level=1)).to_have_text("The weekly e-mail comes to you")

    # Asked for again: the page says the same, and the mail of it leads to the button.
    page.goto("/digest/subscribe")
    page.get_by_label("Your e-mail address").fill(grace)
    press(page, "Send me the link")
    expect(page.get_by_role("heading", level=1)).to_have_text("Look into your mailbox")

    page.goto(confirm)
    follow(page, "Change what you hear of")
    expect(page.get_by_label("Parents and carers")).to_be_checked()
    follow(page, "Stop the weekly e-mail")
    press(page, "Stop it")
    assert outcome(page) == "saved"
    expect(page.get_by_role("heading", level=1)).to_have_text("You get no more weekly e-mails")
    page.reload()
    expect(page.get_by_role("heading", level=1)).to_have_text("The weekly e-mail has stopped already")


def test_an_organiser_tries_the_next_issue_and_every_subscriber_can_leave_by_the_button_of_their_mail_client(
    demo: Site, visit: Visit
) -> None:
    guest, page = visit(demo), visit(demo, ORGANISER)
    mailbox, uma = Mailbox(page), "uma@button.example"
    guest.goto("/digest/subscribe")
    guest.get_by_label("Your e-mail address").fill(uma)
    press(guest, "Send me the link")
    _, asked = mailbox.take(uma, "Do you want the weekly e-mail")
    guest.goto(link_of(asked, "digest/confirm"))
    press(guest, "Yes, send it to me")

    page.goto("/manage/")
    follow(page, "The next weekly e-mail")
    page.get_by_label("Introduction (optional)").fill("Snow is coming: **wrap up**.")
    press(page, "Preview")
    expect(page.get_by_label("Preview").get_by_text("wrap up")).to_have_css("font-weight", "700")
    press(page, "Save, and send me a test")
    assert outcome(page) == "saved"
    _, test = mailbox.take(ORGANISER, "Test: ")
    assert "Snow is coming: wrap up." in test.get_body(("plain",)).get_content()
    assert test["List-Unsubscribe"] is None
    press(page, "Save, and send it now")
    assert outcome(page) == "saved"

    _, mail = mailbox.take(uma, "the coming weeks", within=UNTIL_THE_NEXT_LOOK)
    assert mail["List-Unsubscribe-Post"] == "List-Unsubscribe=One-Click"
    stop = urlsplit(mail["List-Unsubscribe"].strip(" <>")).path
    mail_client = visit(demo)
    for _ in range(2):
        pressed = mail_client.request.post(stop, form={"List-Unsubscribe": "One-Click"})
        assert (pressed.status, 'data-outcome="saved"' in pressed.text()) == (200, True)
    guest.goto(stop)
    expect(guest.get_by_role("heading", level=1)).to_have_text("The weekly e-mail has stopped already")
