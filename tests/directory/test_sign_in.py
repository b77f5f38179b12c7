"""Signing in by a link or a code: good once, soon over, for whoever asked."""

import re
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from threading import Barrier

import pytest
import sqlalchemy as sa
import time_machine
from flask import Flask

from booking.core.db import db
from booking.core.errors import Refused
from booking.directory import actions, queries
from booking.directory.models import Person, SignIn
from booking.notifications.models import Message
from tests.factories import make_area, make_person

EMAIL = "priya@school.example"
AT_ONCE = 8
START = datetime(2027, 3, 28, 0, 55, tzinfo=UTC)  # the clocks go forward within the quarter of an hour


def ask(email: str = EMAIL, *, origin: str = "203.0.113.7", next_page: str = "", limit_origin: bool = True) -> str:
    """Ask, and return what the browser holds."""
    return actions.ask_to_sign_in(email, origin=origin, next_page=next_page, limit_origin=limit_origin).browser


def mailed() -> tuple[str, str]:
    """Return the link's token and the code of the newest mail."""
    text = db.session.scalars(sa.select(Message.text).order_by(Message.id.desc())).first()
    assert text is not None
    return re.findall(r"/sign-in/(\S+)", text)[0], re.findall(r"code: (\d{6})\n", text)[0]


def use_code(browser: str, code: str) -> str:
    """Sign in by a code as the page does; return whose it was, or the sentence of the refusal."""
    actions.count_try(browser)
    try:
        return actions.sign_in_by_code(browser, code)[0].email
    except Refused as refused:
        return refused.sentence


def other(code: str) -> str:
    """Return six digits that are not the code."""
    return f"{(int(code) + 1) % 10**6:06d}"


def people() -> list[str]:
    return list(db.session.scalars(sa.select(Person.email).order_by(Person.id)))


def test_asking_mails_a_link_and_a_code_in_the_name_of_the_area(in_app: Flask) -> None:
    make_area()
    ask(" Priya@School.Example ")
    (message,) = db.session.scalars(sa.select(Message)).all()
    link, code = mailed()
    assert (message.kind, message.to_email, message.from_name, message.reply_to, message.priority) == (
        "sign_in",
        EMAIL,
        "Vale & Marsh SEND Partnership",
        None,
        0,
    )
    assert message.subject == f"{code} is your code to sign in"
    assert f"http://calendar.example.org/sign-in/{link}\n" in message.text
    assert f"http://calendar.example.org/sign-in/{link}" in message.html
    assert code in message.html
    assert people() == []


@pytest.mark.both_databases
def test_the_link_signs_in_once_and_says_which_page_was_wanted(in_app: Flask) -> None:
    ask(next_page="/events/3/book")
    link, _ = mailed()
    person, wanted = actions.sign_in_by_link(link)
    assert (person.email, wanted) == (EMAIL, "/events/3/book")
    with pytest.raises(Refused, match="This link has been used"):
        actions.sign_in_by_link(link)


@pytest.mark.both_databases
def test_link_and_code_are_one_right(in_app: Flask) -> None:
    browser = ask()
    link, code = mailed()
    assert use_code(browser, f" {code[:3]} {code[3:]} ") == EMAIL
    with pytest.raises(Refused):
        actions.sign_in_by_link(link)
    assert use_code(browser, code) == actions.WRONG_CODE


def test_a_known_address_signs_in_as_the_same_person(in_app: Flask) -> None:
    known = make_person(EMAIL, "Priya Nair")
    for _ in range(2):
        ask(EMAIL.upper())
        assert actions.sign_in_by_link(mailed()[0])[0].id == known.id
    assert people() == [EMAIL]


@pytest.mark.both_databases
@pytest.mark.parametrize(("minutes", "good"), [(14, True), (15, False), (600, False)])
def test_link_and_code_are_good_for_a_quarter_of_an_hour(in_app: Flask, minutes: int, good: bool) -> None:
    with time_machine.travel(START, tick=False) as clock:
        browser = ask()
        link, code = mailed()
        clock.move_to(START + timedelta(minutes=minutes))
        found = queries.find_sign_in(actions.secret_hash("sign-in link", link))
        assert (found is not None) is good
        assert use_code(browser, code) == (EMAIL if good else actions.WRONG_CODE)
        ask()
        link, _ = mailed()
        clock.move_to(START + 2 * timedelta(minutes=minutes))
        if good:
            assert actions.sign_in_by_link(link)[0].email == EMAIL
        else:
            with pytest.raises(Refused, match="older than 15 minutes"):
                actions.sign_in_by_link(link)


def test_the_fifth_try_still_counts(in_app: Flask) -> None:
    browser = ask()
    _, code = mailed()
    assert [use_code(browser, other(code)) for _ in range(4)] == [actions.WRONG_CODE] * 4
    assert use_code(browser, code) == EMAIL


@pytest.mark.both_databases
def test_five_wrong_codes_use_it_up_and_the_right_one_is_refused(in_app: Flask) -> None:
    browser = ask()
    link, code = mailed()
    assert [use_code(browser, other(code)) for _ in range(5)] == [actions.WRONG_CODE] * 5
    assert use_code(browser, code) == actions.WRONG_CODE
    assert people() == []
    assert actions.sign_in_by_link(link)[0].email == EMAIL  # whoever can read the mail is not shut out by a guesser


@pytest.mark.both_databases
def test_many_guesses_at_once_are_five_tries(app: Flask) -> None:
    with app.app_context():
        browser = ask()
        _, code = mailed()
    barrier = Barrier(AT_ONCE)

    def guess(number: int) -> str:
        with app.app_context():
            barrier.wait(timeout=30)
            return use_code(browser, f"{(int(code) + 1 + number) % 10**6:06d}")

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert list(pool.map(guess, range(AT_ONCE))) == [actions.WRONG_CODE] * AT_ONCE
    with app.app_context():
        assert use_code(browser, code) == actions.WRONG_CODE


def test_a_code_is_only_good_in_the_browser_that_asked(in_app: Flask) -> None:
    mine = ask()
    _, code = mailed()
    theirs = ask("mallory@evil.example", origin="198.51.100.9")
    assert use_code(theirs, code) == actions.WRONG_CODE
    assert use_code("", code) == actions.WRONG_CODE
    assert use_code(mine, code) == EMAIL


@pytest.mark.both_databases
def test_of_many_who_use_a_link_at_once_one_gets_in(app: Flask) -> None:
    with app.app_context():
        ask()
        link, _ = mailed()
    barrier = Barrier(AT_ONCE)

    def use(_number: int) -> str:
        with app.app_context():
            barrier.wait(timeout=30)
            try:
                return actions.sign_in_by_link(link)[0].email
            except Refused as refused:
                return refused.sentence

    with ThreadPoolExecutor(AT_ONCE) as pool:
        answers = list(pool.map(use, range(AT_ONCE)))
    assert sorted(answers) == sorted([EMAIL, *[actions.USED_UP] * (AT_ONCE - 1)])
    with app.app_context():
        assert people() == [EMAIL]


@pytest.mark.both_databases
def test_two_mails_of_a_new_address_used_at_once_make_one_person(app: Flask) -> None:
    with app.app_context():
        links = []
        for _ in range(4):
            ask()
            links.append(mailed()[0])
    barrier = Barrier(len(links))

    def use(link: str) -> int:
        with app.app_context():
            barrier.wait(timeout=30)
            return actions.sign_in_by_link(link)[0].id

    with ThreadPoolExecutor(len(links)) as pool:
        assert len(set(pool.map(use, links))) == 1
    with app.app_context():
        assert people() == [EMAIL]


def test_an_address_is_written_to_five_times_an_hour_from_wherever_it_is_asked(in_app: Flask) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for number in range(5):
            ask(EMAIL if number % 2 else EMAIL.upper(), origin=f"203.0.113.{number}")
        with pytest.raises(Refused, match="That is too often"):
            ask(origin="203.0.113.99", limit_origin=False)
        ask("somebody-else@school.example")
        clock.move_to(START + timedelta(hours=1))
        ask()
        assert db.session.query(Message).filter_by(to_email=EMAIL).count() == 6


def test_an_origin_asks_thirty_times_an_hour_for_whatever_addresses(in_app: Flask) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for number in range(30):
            ask(f"person{number}@school.example")
        with pytest.raises(Refused, match="That is too often"):
            ask("one-more@school.example")
        ask("one-more@school.example", origin="198.51.100.9")
        ask("two-more@school.example", limit_origin=False)
        clock.move_to(START + timedelta(hours=1))
        ask("one-more@school.example")
        assert db.session.query(Message).count() == 33


@pytest.mark.both_databases
def test_asking_many_times_at_once_keeps_to_the_limit(app: Flask) -> None:
    barrier = Barrier(AT_ONCE)

    def run(_number: int) -> bool:
        with app.app_context():
            barrier.wait(timeout=30)
            try:
                ask()
            except Refused:
                return False
            return True

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert sorted(pool.map(run, range(AT_ONCE))) == [False] * (AT_ONCE - 5) + [True] * 5
    with app.app_context():
        assert db.session.query(Message).count() == db.session.query(SignIn).count() == 5


def test_the_request_keeps_no_secret_that_could_be_used(in_app: Flask) -> None:
    browser = ask()
    link, code = mailed()
    row = db.session.execute(sa.text("SELECT * FROM sign_ins")).mappings().one()
    kept = " ".join(str(value) for name, value in row.items() if not name.endswith("_at"))
    for secret in (browser, link, code, "203.0.113.7"):
        assert secret not in kept.split()
        assert secret not in row["link_hash"] + row["code_hash"] + row["browser_hash"] + row["origin"]
    for stolen in (row["link_hash"], row["browser_hash"], row["code_hash"]):
        with pytest.raises(Refused):
            actions.sign_in_by_link(stolen)
        assert use_code(stolen, code) == actions.WRONG_CODE
    again = ask()
    assert len({link, mailed()[0], browser, again}) == 4


def test_old_requests_are_removed_and_new_ones_stay(in_app: Flask) -> None:
    with time_machine.travel(START, tick=False) as clock:
        ask("old@school.example")
        clock.move_to(START + timedelta(days=2))
        ask("new@school.example")
        clock.move_to(START + timedelta(days=2, seconds=1))
        assert actions.clear_old_sign_ins() == 1
        assert actions.clear_old_sign_ins() == 0
        assert list(db.session.scalars(sa.select(SignIn.email))) == ["new@school.example"]


def test_the_command_line_gets_a_link_without_a_mail_and_without_a_limit(in_app: Flask) -> None:
    links = [actions.sign_in_link(EMAIL) for _ in range(7)]
    assert len(set(links)) == 7
    assert db.session.query(Message).count() == 0
    assert actions.sign_in_by_link(links[6])[0].email == EMAIL
