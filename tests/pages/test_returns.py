"""Schools answer closing dates, by real forms: the link of the mail, one's own page, the organisers' board."""

import re
from collections.abc import Iterator
from datetime import UTC, date, datetime, time

import pytest
import time_machine
from flask import Flask
from flask.testing import FlaskClient

from booking.calendar.models import Event, Kind
from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.core.tokens import link_token
from booking.deadlines import actions, queries
from booking.deadlines.models import Answer, Return
from booking.directory.models import School
from booking.notifications.models import AddressPutAside, Message
from booking.organiser import actions as organiser
from tests.factories import make_contact, make_event, make_group, make_person, make_school, sign_in
from tests.forms import Forms, errors, outcome, send, told
from tests.statements import statements

NOW = datetime(2027, 3, 1, 10, 0, tzinfo=UTC)  # a Monday in term
NAMES = ("Oakhurst Primary School", "Millbrook High School", "Millbrook Junior School", "Foxglove Nursery")


@pytest.fixture(autouse=True)
def _a_day_in_term() -> Iterator[None]:
    with time_machine.travel(NOW):
        yield


@pytest.fixture
def event(app: Flask) -> Event:
    """A closing date that four schools owe an answer; the first has a contact."""
    with app.app_context():
        schools = [make_school(name) for name in NAMES]
        make_contact(schools[0], "senco@school.example")
        event = make_event("Data return", kind=Kind.DEADLINE, day=date(2027, 3, 10), starts=time(17, 0))
        ask(event)
        return event


def ask(event: Event, answer: Answer = Answer.REQUIRED, **values) -> None:
    boss = make_person(name="Boss")
    values = {"link": "https://forms.example/1", "goes_to": "returns@county.example", **values}
    organiser.set_ask(event, actions.AskValues(answer, **values), by=boss)


def link(app: Flask, event: Event, number: int = 0) -> str:
    with app.app_context():
        return f"/returns/{link_token(queries.RETURN_LINK, row(event, NAMES[number]).key)}"


def row(event: Event, name: str) -> Return:
    return db.session.query(Return).join(School).filter(Return.event_id == event.id, School.name == name).one()


def stands(app: Flask, event: Event) -> dict[str, tuple[str, int | None, str]]:
    with app.app_context():
        rows = queries.returns_of(event.id)
        return {one.school.name: (str(one.status), one.number, one.answered_by) for one in rows if one.answered_at}


def test_one_press_from_the_mail_records_the_answer_and_a_look_does_not(
    app: Flask, client: FlaskClient, event: Event
) -> None:
    path = link(app, event)
    page = client.get(path)
    assert page.status_code == 200
    for words in ("Oakhurst Primary School", "https://forms.example/1", "returns@county.example", "no answer yet"):
        assert words in page.text
    assert page.headers["Cache-Control"] == "private, no-store"
    assert stands(app, event) == {}  # a mail scanner followed the link
    page = send(client, path, name="Priya Nair", number="3")
    assert (outcome(page), told(page)) == ("saved", ["Thank you. Your school hears no more of this."])
    assert 'data-status="submitted"' in page.text
    assert stands(app, event) == {NAMES[0]: ("submitted", 3, "Priya Nair")}
    page = send(client, path, said="nothing", name="Priya Nair")
    assert stands(app, event) == {NAMES[0]: ("nothing", None, "Priya Nair")}


@pytest.mark.parametrize(
    ("typed", "field", "sentence"),
    [
        ({"name": ""}, "name", "Enter your name"),
        ({"number": "0"}, "number", "Enter a number from 1 to 999"),
        ({"number": "many"}, "number", "Enter a whole number, like 30"),
        ({"said": "excused"}, "said", "Choose your answer"),
        ({"said": "not-this-year"}, "said", "Choose your answer"),
        ({"said": ""}, "said", "Choose your answer"),
    ],
)
def test_an_answer_that_cannot_be_is_told_and_what_was_typed_is_kept(
    app: Flask, client: FlaskClient, event: Event, typed: dict[str, str], field: str, sentence: str
) -> None:
    path = link(app, event)
    form = {"said": "submitted", "number": "2", "name": "Priya Nair", **typed}
    page = client.post(path, data=form)
    assert (page.status_code, outcome(page), errors(page)) == (422, "invalid", [(field, sentence)])
    kept = Forms(page).forms[path]
    assert kept["name"] == [form["name"]]
    assert stands(app, event) == {}


def test_an_answer_after_the_closing_minute_is_taken_and_marked_late(
    app: Flask, client: FlaskClient, tom: FlaskClient, event: Event
) -> None:
    paths = [link(app, event, number) for number in (0, 1)]
    with time_machine.travel(datetime(2027, 3, 10, 17, 0, 30, tzinfo=UTC)):
        send(client, paths[0], name="In Time")
    with time_machine.travel(datetime(2027, 3, 10, 17, 1, tzinfo=UTC)):
        assert "what is sent now is marked late" in client.get(paths[1]).text
        page = send(client, paths[1], name="Too Late")
        assert "late" in page.text
        board = tom.get(f"/manage/events/{event.id}/returns/").text
    assert [re.search(rf"{name}</th>.*?</tr>", board, re.DOTALL)[0].count("Late<") for name in NAMES[:2]] == [0, 1]
    assert "2 of 4</b> schools have answered, 1 late" in board


def test_of_what_is_optional_one_press_says_not_this_year(app: Flask, client: FlaskClient, event: Event) -> None:
    with app.app_context():
        ask(db.session.get(Event, event.id), Answer.OPTIONAL)
    page = client.get(link(app, event))
    assert "Nothing said yet" in page.text
    page = send(client, link(app, event), said="not-this-year", name="Priya")
    assert (outcome(page), stands(app, event)[NAMES[0]][0]) == ("saved", "nothing")


def test_not_this_year_is_taken_back_by_the_same_link_or_by_the_organiser(
    app: Flask, client: FlaskClient, tom: FlaskClient, event: Event
) -> None:
    with app.app_context():
        ask(db.session.get(Event, event.id), Answer.OPTIONAL)
    path, board = link(app, event), f"/manage/events/{event.id}/returns/"
    again = f"{path}/again"
    assert "hears no more" not in client.get(path).text
    send(client, path, said="not-this-year", name="Priya Nair")
    page = client.get(path)
    assert "Priya Nair said so on" in page.text
    page = send(client, path, again)
    assert (outcome(page), told(page)) == ("saved", ["Your school is told of these dates again."])
    assert ("hears no more" in page.text, stands(app, event)) == (False, {})
    send(client, path, said="not-this-year", name="Priya Nair")
    page = tom.get(board)
    assert "Said “not this year”" in page.text
    page = send(tom, board, f"{board}again")
    assert (outcome(page), told(page)) == ("saved", [f"{NAMES[0]} is asked again: 1 closing date to come."])
    assert ("Said “not this year”" in page.text, stands(app, event)) == (False, {})
    assert tom.post(f"{board}again", data={"return": "99999"}).status_code == 409


def test_what_was_called_off_or_asks_nothing_any_more_takes_no_answer(
    app: Flask, client: FlaskClient, event: Event
) -> None:
    path = link(app, event)
    with app.app_context():
        organiser.cancel_event(
            db.session.get(Event, event.id), by=make_person(name="B"), note="The county has dropped it."
        )
    page = client.post(path, data={"said": "submitted", "name": "Priya"})
    assert ("Nothing is owed any more" in page.text, "<form class" in page.text) == (True, False)
    assert stands(app, event) == {}
    assert client.get("/returns/" + "A" * 38).status_code == 404


def test_a_contact_finds_what_their_school_owes_on_their_own_page(app: Flask, event: Event) -> None:
    senco, stranger = app.test_client(), app.test_client()
    with app.app_context():
        oakhurst = db.session.query(School).filter_by(name=NAMES[0]).one()
        sign_in(senco, make_person("senco@school.example", "Priya Nair"))
        sign_in(stranger, make_person("x@elsewhere.example", school_id=oakhurst.id))
    page = senco.get("/my/").text
    assert ("Your school has not answered yet" in page, link(app, event) in page) == (True, True)
    assert "has not answered yet" not in stranger.get("/my/").text
    page = send(senco, link(app, event))
    assert stands(app, event) == {NAMES[0]: ("submitted", None, "Priya Nair")}
    assert "has not answered yet" not in senco.get("/my/").text


def test_what_closes_much_later_is_folded_away_on_ones_own_page(app: Flask, event: Event) -> None:
    senco = app.test_client()
    with app.app_context():
        ask(make_event("Summer return", kind=Kind.DEADLINE, day=date(2027, 7, 9)))
        sign_in(senco, make_person("senco@school.example"))
    page = senco.get("/my/").text
    before, _, folded = page.partition("<summary>1 later closing date</summary>")
    assert ("Data return" in before, "Summer return" in before, "Summer return" in folded) == (True, False, True)
    assert ("Data return" in folded, "· Oakhurst" in page) == (False, False)


def test_the_board_names_first_who_has_not_answered(app: Flask, tom: FlaskClient, event: Event) -> None:
    send(app.test_client(), link(app, event), name="Priya Nair")
    page = tom.get(f"/manage/events/{event.id}/returns/").text
    assert re.findall(r'<th scope="row">([^<]+)</th>', page) == [*sorted(NAMES[1:]), NAMES[0]]


def test_the_organiser_asks_schools_and_sees_who_has_answered(app: Flask, tom: FlaskClient) -> None:
    with app.app_context():
        schools = [make_school(name) for name in NAMES]
        group = make_group("Pilot", schools[:2])
        event = make_event("Data return", kind=Kind.DEADLINE, day=date(2027, 3, 10), starts=time(17, 0))
        session = make_event("Forum", day=date(2027, 3, 10))
    page = tom.get(f"/manage/events/{event.id}/returns/")
    assert "Schools owe nothing for this closing date." in page.text
    path = f"/manage/events/{event.id}/returns/ask"
    page = send(tom, path, owed_by="groups", groups=[str(group.id)], goes_to="returns@county.example", link="")
    assert (outcome(page), page.request.path) == ("saved", f"/manage/events/{event.id}/returns/")
    assert told(page)[1].startswith("Reminders go to schools that have not answered")
    assert page.text.count("No contact: nobody is written to") == 2
    assert "0 of 2</b> schools have answered." in page.text
    assert "Chase now: 2 schools" in page.text
    assert f"/manage/events/{event.id}/returns/" in tom.get("/manage/returns/").text
    assert f"/manage/events/{event.id}/returns/" in tom.get(f"/manage/events/{event.id}/").text
    page = send(tom, path, owed_by="phases", phases=[])
    assert (page.status_code, errors(page)) == (409, [("phases", "Tick at least one phase.")])
    page = send(tom, path, link="javascript:alert(1)")
    assert (page.status_code, errors(page)) == (422, [("link", "Enter an address that begins with https://")])
    assert tom.get(f"/manage/events/{session.id}/returns/").status_code == 404


def test_the_organiser_sets_several_excuses_one_and_takes_it_back(app: Flask, tom: FlaskClient, event: Event) -> None:
    path = f"/manage/events/{event.id}/returns/"
    with app.app_context():
        ids = [str(row(event, name).id) for name in NAMES]
    page = tom.post(path, data={"return": ids[:2], "said": "excused"}, follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["2 schools set: excused."])
    assert "0 of 2</b> schools have answered; 2 excused." in page.text
    tom.post(path, data={"return": ids[:1], "said": "outstanding"})
    assert set(stands(app, event)) == {NAMES[1]}
    for data, sentence in (
        ({"said": "excused"}, "Tick the schools first."),
        ({"return": ids, "said": "nonsense"}, "Choose what to set the schools to."),
        ({"return": ids, "said": "not-this-year"}, "Choose one of the answers."),
        ({"return": ["999"], "said": "excused"}, "Tick the schools first."),
    ):
        page = tom.post(path, data=data)
        assert (page.status_code, outcome(page), sentence in page.text) == (409, "refused", True)
    assert set(stands(app, event)) == {NAMES[1]}
    with app.app_context():
        assert {e.action for e in db.session.query(AuditEntry)} >= {"set a return of"}


def test_pasted_names_are_matched_shown_and_set_once_nothing_is_in_doubt(
    app: Flask, tom: FlaskClient, event: Event
) -> None:
    path = f"/manage/events/{event.id}/returns/paste"
    names = "Oakhurst Primary\nMillbrook\nFoxglove nursry"
    page = tom.post(path, data={"names": names, "said": "submitted"})
    assert (page.status_code, "1 name is in doubt" in page.text) == (200, True)
    assert stands(app, event) == {}
    form = Forms(page).forms[path]
    assert form["line-1"] == [""]
    again = tom.post(path, data=form)  # still in doubt
    assert ("1 name is in doubt" in again.text, stands(app, event)) == (True, {})
    with app.app_context():
        junior = row(event, NAMES[2]).school_id
    page = tom.post(path, data={**form, "line-1": str(junior)}, follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["3 schools set: submitted."])
    assert set(stands(app, event)) == {NAMES[0], NAMES[2], NAMES[3]}
    page = tom.post(path, data={"names": " \n ", "said": "submitted"})
    assert (page.status_code, errors(page)) == (422, [("names", "Paste at least one name")])
    page = tom.post(path, data={"names": "x\n" * 501, "said": "submitted"})
    assert (page.status_code, "Paste at most 500 names." in page.text) == (409, True)


def test_the_organiser_chases_now_and_sees_where_mail_is_refused(app: Flask, tom: FlaskClient, event: Event) -> None:
    path = f"/manage/events/{event.id}/returns/chase"
    page = tom.post(path, follow_redirects=True)
    assert (outcome(page), told(page)) == ("saved", ["1 e-mail on the way to those who have not answered."])
    again = tom.post(path)
    assert (again.status_code, "chased within the last hour" in again.text) == (409, True)
    with app.app_context():
        (message,) = db.session.query(Message)
        assert (message.to_email, message.kind) == ("senco@school.example", "chase")
        assert link(app, event) in message.text
        db.session.add(AddressPutAside(email="senco@school.example", since=message.created_at, reason="550 5.1.1 Gone"))
        db.session.commit()
    assert "mail is refused" in tom.get(f"/manage/events/{event.id}/returns/").text


def test_the_public_page_says_where_it_goes_and_names_no_school(app: Flask, client: FlaskClient, event: Event) -> None:
    page = client.get(f"/events/{event.id}/", follow_redirects=True).text
    assert "returns@county.example" in page
    assert 'href="https://forms.example/1"' in page
    assert not any(name in page for name in NAMES)


def test_the_board_costs_as_many_statements_for_one_school_as_for_three(app: Flask) -> None:
    with app.app_context():
        event = make_event("Data", kind=Kind.DEADLINE, day=date(2027, 3, 10))
        make_contact(make_school())
        ask(event)

    def count() -> int:
        with app.app_context(), statements(app) as made:
            event_now = db.session.get(Event, event.id)
            queries.board(event_now, queries.find_ask(event.id))
        return len(made)

    one = count()
    with app.app_context():
        for _ in range(2):
            make_contact(make_school())
        actions.keep_in_step()
        assert len(queries.returns_of(event.id)) == 3
    assert count() == one
