"""The pages of the weekly mail by real forms: signing up, confirming, changing, stopping, reading and sending it."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, timedelta

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from booking.calendar.models import Visibility
from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.core.tokens import link_token, new_key
from booking.digests import actions, queries
from booking.digests.actions import Chosen
from booking.digests.models import DigestCopy, DigestIssue, DigestPlan, DigestSubscription, IssueState
from booking.digests.queries import CONFIRM_LINK, OWN_LINK
from booking.notifications.models import Message, MessageStatus
from tests.bench.mails import message_row
from tests.databases import close, make_app
from tests.factories import (
    make_area,
    make_audience,
    make_category,
    make_contact,
    make_event,
    make_person,
    make_school,
    make_term,
    sign_in,
    the_area,
)
from tests.forms import Forms, errors, form_at, outcome, send, told

SUNDAY = datetime(2026, 11, 22, 12, 0, tzinfo=UTC)
DUE = datetime(2026, 11, 23, 7, 30, tzinfo=UTC)
GRACE = "grace@home.example"
SUBSCRIBE = "/digest/subscribe"


@pytest.fixture(autouse=True)
def site(app: Flask) -> Iterator[time_machine.Traveller]:
    """An area with half terms, a kind, an audience and two events, on a Sunday in term."""
    with time_machine.travel(SUNDAY) as clock:
        with app.app_context():
            make_area()
            make_term(2026, 2, date(2026, 11, 2), date(2026, 12, 18))
            make_term(2026, 3, date(2027, 1, 5), date(2027, 2, 12))
            make_event("Coffee morning: sleep", in_days=4, category_id=make_category("Coffee morning").id)
            make_event("Planning meeting", in_days=5, visibility=Visibility.STAFF)
            make_audience("Parents")
        yield clock


def subscription(app: Flask, email: str = GRACE) -> DigestSubscription | None:
    with app.app_context():
        found = db.session.query(DigestSubscription).filter_by(email=email).one_or_none()
        if found:
            _ = [*found.categories, *found.audiences]
        return found


def mails(app: Flask) -> list[Message]:
    with app.app_context():
        return db.session.query(Message).order_by(Message.id).all()


def link_in(message: Message) -> str:
    return re.search(r"http://calendar\.example\.org(/digest/\S+)", message.text)[1]


def subscribe(app: Flask, email: str = GRACE) -> str:
    """Let somebody get it; return the token of their links."""
    with app.app_context():
        actions.ask(the_area(), email, Chosen())
        found = queries.find_subscription(the_area().id, email)
        actions.confirm(found)
        db.session.query(Message).delete()
        db.session.commit()
        return link_token(OWN_LINK, found.key)


def send_it(app: Flask) -> None:
    with time_machine.travel(DUE), app.app_context():
        actions.send_due()


def test_somebody_signs_up_confirms_changes_and_stops(app: Flask, client: FlaskClient) -> None:
    page = send(client, SUBSCRIBE, email=" Grace@Home.example ", categories=["coffee-morning"], audiences=["parents"])
    assert (page.status_code, outcome(page)) == (200, "saved")
    (mail,) = mails(app)
    assert (mail.to_email, mail.kind) == (GRACE, "digest_confirm")
    assert "each week: Coffee morning; Parents." in mail.text

    confirm = link_in(mail)
    for _ in range(3):  # a mail scanner looks at it
        assert client.get(confirm).status_code == 200
    assert not subscription(app).is_active
    page = send(client, confirm)
    assert (outcome(page), "comes to you" in page.text) == ("saved", True)
    again = client.get(confirm)
    assert (again.status_code, "comes to you" in again.text) == (200, True)
    assert outcome(client.post(confirm)) == "saved"

    change = re.search(r'href="(/digest/change/[^"]+)"', page.text)[1]
    assert GRACE not in client.get(change).text
    page = send(client, change, categories=[], audiences=["parents"])
    assert (outcome(page), told(page)) == ("saved", ["Saved. The next weekly e-mail keeps to it."])
    assert [one.slug for one in subscription(app).audiences] == ["parents"]
    assert subscription(app).categories == []

    stop = change.replace("change", "stop")
    for _ in range(3):
        assert "Press the button" in client.get(stop).text
    assert subscription(app).is_active
    page = send(client, stop)
    assert (outcome(page), "You get no more weekly e-mails" in page.text) == ("saved", True)
    assert not subscription(app).is_active
    for page in (client.get(stop), client.post(stop), client.get(change), client.post(change)):
        assert (page.status_code, "has stopped already" in page.text) == (200, True)
    late = client.get(confirm)
    assert (late.status_code, "not good any more" in late.text) == (410, True)


def test_a_mail_clients_own_button_stops_it_without_a_page_or_a_session(app: Flask) -> None:
    token = subscribe(app)
    send_it(app)
    (mail,) = mails(app)
    path = mail.unsubscribe.removeprefix("http://calendar.example.org")
    assert path == f"/digest/stop/{token}"
    for _ in range(2):
        answer = app.test_client().post(path, data={"List-Unsubscribe": "One-Click", "csrf_token": ""})
        assert (answer.status_code, answer.headers.get("Location")) == (200, None)
    assert not subscription(app).is_active


def test_the_answer_is_the_same_whoever_gets_it_already_and_the_mail_says_the_rest(
    app: Flask, client: FlaskClient
) -> None:
    subscribe(app)
    with time_machine.travel(SUNDAY + timedelta(hours=2)):
        pages = [send(client, SUBSCRIBE, email=email) for email in (GRACE, "new@home.example")]
    assert pages[0].text.replace(GRACE, "") == pages[1].text.replace("new@home.example", "")
    assert [(mail.to_email, mail.kind) for mail in mails(app)] == [
        (GRACE, "digest_known"),
        ("new@home.example", "digest_confirm"),
    ]
    assert client.get(link_in(mails(app)[0])).status_code == 200


@pytest.mark.parametrize(
    ("typed", "sentence"),
    [("", "Enter your e-mail address"), ("grace@", "Enter an e-mail address like name@school.example")],
)
def test_what_can_be_no_address_is_told_at_its_field_and_the_ticks_stay(
    app: Flask, client: FlaskClient, typed: str, sentence: str
) -> None:
    page = send(client, SUBSCRIBE, email=typed, categories=["coffee-morning"])
    assert (page.status_code, outcome(page), errors(page)) == (422, "invalid", [("email", sentence)])
    assert Forms(page).forms[SUBSCRIBE]["categories"] == ["coffee-morning"]
    assert subscription(app) is None


def test_a_kind_that_has_gone_meanwhile_is_told_of(app: Flask, client: FlaskClient) -> None:
    page = client.post(SUBSCRIBE, data={"email": GRACE, "categories": ["gone"]})
    assert page.status_code == 422
    assert errors(page) == [("categories", "Choose from the list: something on it has changed meanwhile")]


def test_who_asks_too_often_has_to_wait(database_url: str) -> None:
    app = make_app(database_url, RATE_LIMITS="on")
    client = app.test_client()
    found = [client.post(SUBSCRIBE, data={"email": f"p{number}@home.example"}).status_code for number in range(11)]
    assert found == [200] * 10 + [429]
    close(app)


@pytest.mark.parametrize("page", ["confirm", "change", "stop"])
def test_a_link_that_is_not_ours_is_not_found_and_one_long_gone_is_answered_kindly(
    app: Flask, client: FlaskClient, page: str
) -> None:
    assert client.get(f"/digest/{page}/{'A' * 38}").status_code == 404
    with app.app_context():
        gone = link_token(CONFIRM_LINK if page == "confirm" else OWN_LINK, new_key())
    answer = client.get(f"/digest/{page}/{gone}")
    assert answer.status_code == (410 if page == "confirm" else 200)
    assert re.search("not good any more|has stopped already", answer.text)


def test_who_is_signed_in_sets_their_own_without_a_mail(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        sign_in(client, make_person(GRACE, "Grace Mensah"))
    page = send(client, "/my/digest", categories=["coffee-morning"])
    assert (outcome(page), told(page)) == ("saved", ["Saved. The weekly e-mail comes to you."])
    assert [one.slug for one in subscription(app).categories] == ["coffee-morning"]
    assert mails(app) == []
    assert form_at(client, "/my/digest")["categories"] == ["coffee-morning"]
    page = client.post("/my/digest", data={"stop": "y"}, follow_redirects=True)
    assert told(page) == ["You do not get the weekly e-mail any more."]
    assert not subscription(app).is_active
    assert outcome(send(client, "/my/digest")) == "saved"
    assert subscription(app).is_active


def test_staff_choose_among_kinds_that_guests_do_not_see(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_category("Staff only", visibility=Visibility.STAFF)
        make_category("Team only", visibility=Visibility.TEAM)
        person = make_person(GRACE)
        make_contact(make_school(), GRACE)
    assert "Staff only" not in client.get(SUBSCRIBE).text
    sign_in(client, person)
    page = client.get("/my/digest").text
    assert ("Staff only" in page, "Team only" in page) == (True, False)


def test_the_page_shows_the_newest_issue_to_everybody_and_only_what_is_public(app: Flask, client: FlaskClient) -> None:
    assert "None has gone yet" in client.get("/digest/").text
    subscribe(app)
    send_it(app)
    for path in ("/digest/", "/digest/2026-11-23/"):
        page = client.get(path)
        assert (page.status_code, "Coffee morning: sleep" in page.text) == (200, True)
        assert "Half term 2, week 4: from Monday 23 November" in page.text
        assert "Planning meeting" not in page.text
        assert GRACE not in page.text
    for path in ("/digest/2026-11-30/", "/digest/soon/", "/digest/2026-11-24/"):
        assert client.get(path).status_code == 404


def test_an_organiser_introduces_previews_tries_and_sends_it(app: Flask, tom: FlaskClient) -> None:
    subscribe(app)
    page = tom.get("/manage/digest/")
    assert "It goes by itself on Monday 23 November, 7.30am" in page.text
    assert "1 address gets it" in page.text
    assert ("Coffee morning: sleep" in page.text, "Planning meeting" in page.text) == (True, False)
    assert "Planning meeting" in tom.get("/manage/digest/?as=staff").text

    page = press(tom, "preview", "Good **morning**")
    assert "Good <strong>morning</strong>" in page.text
    assert intro(app) == []
    page = press(tom, "test", "Good **morning** <script>")
    assert told(page) == ["Saved. A test is on the way to tom@vale-marsh.example."]
    (test,) = mails(app)
    assert test.subject.startswith("Test: ")
    assert "Good morning" in test.text
    assert "<script>" not in test.html
    assert test.unsubscribe is None

    assert told(press(tom, "hold", "Good morning")) == ["Saved and held: it does not go before you let it go."]
    send_it(app)
    assert len(mails(app)) == 1
    assert told(press(tom, "let-go", "Good morning")) == ["It goes at its time again."]
    assert told(press(tom, "send", "Good morning, all")) == ["It is on its way."]
    with app.app_context():
        assert actions.send_due() == 1
        did = [(row.action, row.detail) for row in db.session.query(AuditEntry).filter_by(subject="digest")]
    assert [what for what, _ in did] == [
        "wrote the introduction of the digest of",
        "wrote the introduction of the digest of",
        "held the digest of",
        "let go the digest of",
        "wrote the introduction of the digest of",
        "sent the digest of",
    ]
    assert "Good morning, all" in mails(app)[-1].text
    page = tom.get("/manage/digest/")
    assert "0 sent, 1 waiting" in page.text
    assert "Monday 30 November, 7.30am" in page.text


def press(tom: FlaskClient, what: str, introduction: str):
    form = form_at(tom, "/manage/digest/")
    data = {**form, "introduction": introduction, "do": what}
    return tom.post("/manage/digest/", data=data, follow_redirects=True)


def intro(app: Flask) -> list[str]:
    with app.app_context():
        return [issue.introduction for issue in db.session.query(DigestIssue)]


def test_what_was_typed_for_an_issue_that_went_meanwhile_stays_and_goes_nowhere(app: Flask, tom: FlaskClient) -> None:
    form = form_at(tom, "/manage/digest/")
    send_it(app)
    with time_machine.travel(DUE + timedelta(minutes=1)):
        page = tom.post("/manage/digest/", data={**form, "introduction": "Late words", "do": "send"})
    assert (page.status_code, outcome(page)) == (409, "refused")
    assert errors(page)[0][1].startswith("The issue that this page was about has gone meanwhile.")
    assert "Late words" in page.text
    assert intro(app) == [""]


def test_an_introduction_that_is_too_long_is_refused_and_stays(app: Flask, tom: FlaskClient) -> None:
    page = press(tom, "save", "long " * 1_001)
    assert (page.status_code, errors(page)) == (409, [("introduction", "Use at most 5,000 letters.")])
    assert page.text.count("long ") > 1_000
    assert intro(app) == []


def test_an_organiser_sets_when_it_goes(app: Flask, tom: FlaskClient) -> None:
    page = send(tom, "/manage/digest/when", weekday="3", at="16:00", weeks="6")
    assert told(page) == ["Saved when the weekly e-mail goes."]
    assert "It goes on Thursdays at 4pm" in page.text
    page = send(tom, "/manage/digest/when", at="22:00")
    assert errors(page) == [("at", "Choose a time within the kind hours, 7am to 6.30pm.")]
    page = send(tom, "/manage/digest/when", at="")
    assert (page.status_code, errors(page)) == (422, [("at", "Enter a time, such as 07:30")])
    page = send(tom, "/manage/digest/when", active=[])
    assert "It is switched off" in page.text
    with app.app_context():
        plan = db.session.query(DigestPlan).one()
        assert (plan.active, plan.weekday, plan.weeks) == (False, 3, 6)


def test_an_issue_is_pasted_into_other_mailers_without_what_is_for_staff(app: Flask, tom: FlaskClient) -> None:
    send_it(app)
    page = tom.get("/manage/digest/2026-11-23/copy")
    assert page.text.count("Coffee morning: sleep") == 3
    assert "Planning meeting" not in page.text
    assert "&lt;h2 style=" in page.text
    assert "http://calendar.example.org/events/1-coffee-morning-sleep/" in page.text
    assert tom.get("/manage/digest/2026-11-30/copy").status_code == 404


def test_the_outbox_shows_a_digest_without_the_links_that_are_its_readers_own(app: Flask, tom: FlaskClient) -> None:
    token = subscribe(app)
    send_it(app)
    page = tom.get(f"/manage/outbox/{mails(app)[0].id}")
    assert page.text.count("(their own link)") == 2
    assert token not in page.text
    assert "/digest/2026-11-23/" in page.text


def issue_of(weeks_ago: int, mails: dict[MessageStatus, int]) -> None:
    """Add an issue that was sent, with so many mails in each status, as rows."""
    week = date(2026, 11, 16) - timedelta(weeks=weeks_ago)
    at = DUE - timedelta(weeks=weeks_ago + 1)
    sent = {"state": IssueState.SENT, "sent_at": at, "told_on": week, "told_until": week, "all_posted": True}
    issue = DigestIssue(area_id=the_area().id, week=week, told=[], mails=sum(mails.values()), **sent)
    db.session.add(issue)
    db.session.flush()
    statuses = [status for status, number in mails.items() for _ in range(number)]
    usual = {"kind": "digest", "area_id": issue.area_id, "created_at": at, "text": "", "html": ""}
    first = db.session.query(Message).count()
    ids = db.session.scalars(
        sa.insert(Message).returning(Message.id, sort_by_parameter_order=True),
        [message_row(first + n, **{**usual, "status": status}) for n, status in enumerate(statuses)],
    ).all()
    copies = [{"issue_id": issue.id, "email": f"p{one}@x.example", "message_id": one, "created_at": at} for one in ids]
    db.session.execute(sa.insert(DigestCopy), copies)
    db.session.commit()


@pytest.mark.both_databases
def test_the_board_says_what_became_of_each_issue_and_goes_back_by_links_alone(app: Flask, tom: FlaskClient) -> None:
    some = {MessageStatus.SENT: 3, MessageStatus.QUEUED: 1, MessageStatus.CLAIMED: 1, MessageStatus.FAILED: 2}
    with app.app_context():
        issue_of(0, {MessageStatus.QUEUED: 501, MessageStatus.FAILED: 1})
        issue_of(1, {**some, MessageStatus.DROPPED: 4})
        for weeks in range(2, 12):
            issue_of(weeks, {MessageStatus.SENT: weeks})

    def numbers(page) -> list[str]:
        return re.findall(r'data-label="E-mails">([^<]*)<', page.text)

    page = tom.get("/manage/digest/")
    assert numbers(page) == [
        "502 e-mails in all, more than 500 waiting, 1 refused",
        "3 sent, 2 waiting, 2 refused, 4 not wanted any more",
        *(f"{weeks} sent" for weeks in range(2, 10)),
    ]
    (older,) = re.findall(r'<a href="([^"]+)" rel="next">', page.text)
    page = tom.get(older)
    assert numbers(page) == ["10 sent", "11 sent"]
    assert len(re.findall(r'<a href="[^"]+" rel="prev">', page.text)) == 1
