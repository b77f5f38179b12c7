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
from booking.directory import actions, known, queries
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
        again = actions.ask_to_sign_in(EMAIL, origin="203.0.113.99", next_page="", limit_origin=False)
        assert (again.sent, again.browser) == (False, "")
        ask("somebody-else@school.example")
        assert db.session.query(Message).filter_by(to_email=EMAIL).count() == 5
        clock.move_to(START + timedelta(hours=1))
        ask()
        assert db.session.query(Message).filter_by(to_email=EMAIL).count() == 6


@pytest.mark.both_databases
def test_asked_too_often_the_newest_link_is_good_for_longer_and_older_ones_are_not(in_app: Flask) -> None:
    with time_machine.travel(START, tick=False) as clock:
        links, browsers = [], []
        for _ in range(5):
            browsers.append(ask())
            links.append(mailed())
        clock.move_to(START + timedelta(minutes=50))
        mine = actions.ask_to_sign_in(EMAIL, origin="", next_page="", limit_origin=True, browser=browsers[4])
        assert (mine.sent, mine.browser) == (False, browsers[4])
        assert ask() == ""  # a browser that did not ask for that one has no use for its code
        clock.move_to(START + timedelta(minutes=59))
        with pytest.raises(Refused, match="older than 15 minutes"):
            actions.sign_in_by_link(links[3][0])
        assert use_code(browsers[4], links[4][1]) == EMAIL
        ask()  # the newest has been used: the one before it waits
        assert actions.sign_in_by_link(links[3][0])[0].email == EMAIL


def test_where_no_link_waits_asking_too_often_is_refused(in_app: Flask) -> None:
    for _ in range(5):
        ask()
        actions.sign_in_by_link(mailed()[0])
    with pytest.raises(Refused, match="That is too often"):
        ask()


def known_browser(person: Person) -> str:
    """Return the cookie of a browser in which somebody signed in before."""
    return known.remember(person, "")


@pytest.mark.both_databases
def test_strangers_cannot_use_up_what_a_known_browser_may_ask(in_app: Flask) -> None:
    person, cookie = make_person(EMAIL), known_browser(make_person("mallory@evil.example"))
    mine = known_browser(person)

    def asked(cookie: str) -> bool:
        found = actions.ask_to_sign_in(EMAIL, origin="203.0.113.7", next_page="", limit_origin=True, known=cookie)
        return found.sent

    assert [asked("") for _ in range(6)] == [True] * 5 + [False]
    for number in range(195):  # the whole network of the school has asked
        ask(f"person{number}@school.example")
    with pytest.raises(Refused):
        ask("one-more@school.example")
    assert not asked(cookie)  # somebody else's, or made up
    assert not asked(mine[:-1] + ("a" if mine[-1] != "a" else "b"))
    assert [asked(mine) for _ in range(6)] == [True] * 5 + [False]
    assert [asked(known.remember(person, mine)) for _ in range(2)] == [False] * 2  # signing in again is no new browser
    assert asked(known_browser(person))


def test_what_known_browsers_ask_for_takes_nothing_from_others(in_app: Flask) -> None:
    mine = known_browser(make_person(EMAIL))
    for _ in range(5):
        actions.ask_to_sign_in(EMAIL, origin="203.0.113.7", next_page="", limit_origin=True, known=mine)
    assert [ask() != "" for _ in range(6)] == [True] * 5 + [False]


def test_a_known_browser_is_unknown_once_its_person_signed_out_everywhere(in_app: Flask) -> None:
    person = make_person(EMAIL)
    mine = known_browser(person)
    assert known.key_for(person, mine)
    actions.sign_out_everywhere(person)
    assert known.key_for(person, mine) is None


def test_a_shared_browser_knows_the_last_five_people(in_app: Flask) -> None:
    people_here, cookie = [make_person() for _ in range(6)], ""
    for person in people_here:
        cookie = known.remember(person, cookie)
    assert [known.key_for(person, cookie) is not None for person in people_here] == [False] + [True] * 5
    for odd in ("", ".", "....", "ä" * 30, "a" * 5000, "." * 300):
        assert known.key_for(people_here[0], odd) is None


@pytest.mark.both_databases
def test_after_twenty_wrong_codes_within_a_day_codes_are_off_and_links_are_not(in_app: Flask) -> None:
    make_area()
    with time_machine.travel(START, tick=False) as clock:
        for _ in range(4):
            browser = ask()
            code = mailed()[1]
            assert [use_code(browser, other(code)) for _ in range(5)] == [actions.WRONG_CODE] * 5
        assert use_code(browser, other(code)) == actions.CODES_OFF
        asked = actions.ask_to_sign_in(EMAIL, origin="", next_page="", limit_origin=False)
        assert (asked.browser, asked.sent, asked.codes_off) == ("", True, True)
        message = db.session.scalars(sa.select(Message).order_by(Message.id.desc())).first()
        assert message is not None
        assert (message.subject, "code" in message.text + message.html) == ("Your link to sign in", False)
        link = re.findall(r"/sign-in/(\S+)", message.text)[0]
        assert actions.sign_in_by_link(link)[0].email == EMAIL
        theirs = ask("nobody-else@school.example")
        assert use_code(theirs, mailed()[1]) == "nobody-else@school.example"
        clock.move_to(START + timedelta(days=1))
        assert use_code(ask(), mailed()[1]) == EMAIL


@pytest.mark.both_databases
def test_codes_mailed_before_are_off_too(in_app: Flask) -> None:
    mine = ask()
    code = mailed()[1]
    for _ in range(4):
        browser = ask()
        wrong = other(mailed()[1])
        for _ in range(5):
            use_code(browser, wrong)
    assert use_code(mine, code) == actions.CODES_OFF
    assert people() == []


def test_right_codes_are_not_counted_among_the_wrong_ones(in_app: Flask) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for hour in range(23):
            clock.move_to(START + timedelta(hours=hour))
            assert use_code(ask(), mailed()[1]) == EMAIL


@pytest.mark.both_databases
def test_many_guesses_at_once_at_many_requests_are_twenty_tries(app: Flask) -> None:
    """The right code, tried when twenty wrong ones are on their way, is refused: none is looked at beyond twenty."""
    with app.app_context():
        browsers = [ask() for _ in range(5)]
        code = mailed()[1]
    barrier = Barrier(AT_ONCE)

    def guess(number: int) -> set[str]:
        with app.app_context():
            barrier.wait(timeout=30)
            return {use_code(browsers[turn % 4], other(other(code))) for turn in range(number, 32, AT_ONCE)}

    with ThreadPoolExecutor(AT_ONCE) as pool:
        assert set.union(*pool.map(guess, range(AT_ONCE))) <= {actions.WRONG_CODE, actions.CODES_OFF}
    with app.app_context():
        assert use_code(browsers[4], code) == actions.CODES_OFF


def test_an_origin_asks_two_hundred_times_an_hour_for_whatever_addresses(in_app: Flask) -> None:
    with time_machine.travel(START, tick=False) as clock:
        for number in range(200):
            ask(f"person{number}@school.example")
        with pytest.raises(Refused, match="That is too often"):
            ask("one-more@school.example")
        assert ask("person7@school.example") == ""  # their newest link is good for longer
        ask("one-more@school.example", origin="198.51.100.9")
        ask("two-more@school.example", limit_origin=False)
        clock.move_to(START + timedelta(hours=1))
        ask("one-more@school.example")
        assert db.session.query(Message).count() == 203


@pytest.mark.both_databases
def test_asking_many_times_at_once_keeps_to_the_limit(app: Flask) -> None:
    barrier = Barrier(AT_ONCE)

    def run(_number: int) -> bool:
        with app.app_context():
            barrier.wait(timeout=30)
            return ask() != ""

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
