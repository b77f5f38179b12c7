"""Pages of feeds: each address in ways that people use, built by a form, one's own behind signing in."""

import re
from html import unescape

import pytest
from flask import Flask
from flask.testing import FlaskClient

from booking.calendar.models import Visibility
from booking.core.audit import AuditEntry
from booking.core.db import db
from booking.core.tokens import link_token
from booking.directory.models import Person, School
from booking.feeds.private import MINE, SCHOOL
from tests.factories import (
    make_audience,
    make_booking,
    make_category,
    make_contact,
    make_event,
    make_organiser,
    make_person,
    make_school,
    sign_in,
)

BASE = "http://calendar.example.org"


def addresses(page: str) -> list[str]:
    """What stands in the fields to copy from."""
    return [
        unescape(found) for found in re.findall(r'<input class="[^"]*copyfield"[^>]* value="([^"]+)" readonly>', page)
    ]


def test_each_feed_has_a_page_with_ways_a_qr_code_and_steps(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
        make_event("Coffee", category_id=make_category("Coffee morning").id)
    index = client.get("/feeds/").text
    assert addresses(index) == [f"{BASE}/feeds/{name}.ics" for name in ("calendar", "coffee-morning", "senco-forum")]
    pages = re.findall(r'<a href="([^"]+)">QR code and steps', index)
    assert pages == ["/feeds/calendar/", "/feeds/coffee-morning/", "/feeds/senco-forum/"]
    for path in pages:
        page = client.get(path).text
        address = f"{BASE}{path[:-1]}.ics"
        assert addresses(page) == [address]
        assert f'href="webcal://{address.removeprefix("http://")}"' in page
        assert "https://outlook.office.com/calendar/0/addfromweb?url=http%3A%2F%2Fcalendar" in page
        assert "https://calendar.google.com/calendar/r?cid=webcal%3A%2F%2Fcalendar" in page
        assert page.count("<svg") >= 1
        assert "every 4 to 24 hours" in page
        assert "can take more than a day" in page
    assert client.get("/feeds/nothing/").status_code == 404


def test_a_day_that_cannot_be_leaves_the_kind_of_the_page_ticked(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Forum")
    page = client.get("/feeds/senco-forum/?from=bad")
    assert page.status_code == 400
    assert re.search(r'name="category" value="senco-forum" checked', page.text)


def test_the_form_makes_the_address_of_what_was_chosen(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Forum & more", audiences=[make_audience("SENCos")])
        make_event("Coffee", category_id=make_category("Coffee morning").id)
    page = client.get("/feeds/calendar/?q=forum+%26&audience=sencos&category=senco-forum&from=").text
    (address,) = addresses(page)
    assert address == f"{BASE}/feeds/calendar.ics?audience=sencos&category=senco-forum&q=forum+%26"
    assert "1 date of this school year" in page
    feed = client.get(address.removeprefix(BASE)).text
    assert ("Forum & more" in feed, "Coffee" in feed) == (True, False)
    wrong = client.get("/feeds/calendar/?category=nothing")
    assert (wrong.status_code, addresses(wrong.text)) == (400, [f"{BASE}/feeds/calendar.ics"])
    assert "There is no kind of event called “nothing”." in wrong.text


def test_days_can_be_chosen_and_what_cannot_be_one_is_said_at_its_field(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Forum", audiences=[make_audience("SENCos")])
    assert 'name="from" type="date"' in client.get("/feeds/").text
    page = client.get("/feeds/calendar/?q=&audience=sencos&from=2026-09-01&to=2027-07-31").text
    assert addresses(page) == [f"{BASE}/feeds/calendar.ics?audience=sencos&from=2026-09-01&to=2027-07-31"]
    assert "for SENCos from 1 September 2026 until 31 July 2027 – Vale &amp; Marsh" in page
    for query, field, sentence in (
        ("from=2026-09-01&to=31.7.", "to", "“31.7.” is not a date. Write it like 2026-11-23."),
        ("from=2027-09-01&to=2027-07-31", "from", "The first day is after the last. Swap them."),
    ):
        wrong = client.get(f"/feeds/calendar/?q=forum&audience=sencos&category=senco-forum&{query}")
        assert wrong.status_code == 400
        assert "<title>Error: " in wrong.text
        assert f'<a href="#{field}">{sentence}</a>' in wrong.text
        assert re.search(rf'<p class="govuk-error-message" id="{field}-error">.*{re.escape(sentence)}</p>', wrong.text)
        for kept in ('name="q" type="text" value="forum"', 'value="sencos" checked', 'value="senco-forum" checked'):
            assert kept in wrong.text
        assert f'value="{query.partition("from=")[2][:10]}"' in wrong.text


def test_what_was_chosen_can_be_changed_and_stays_when_it_is_full_or_over(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Forum")
    assert "stays in your calendar when it is full or over" in client.get("/feeds/").text
    page = client.get("/feeds/calendar/?q=forum&from=2026-09-01&when=past&free=y").text
    assert addresses(page) == [f"{BASE}/feeds/calendar.ics?from=2026-09-01&q=forum"]
    assert "They stay when they are full or over." in page
    (change,) = re.findall(r'<a href="([^"]+)">Change what you chose', page)
    form = client.get(unescape(change)).text
    assert ('value="forum"' in form, 'value="2026-09-01"' in form) == (True, True)


def test_a_search_of_any_length_has_a_page(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("a" * 100)
        slugs = [make_category(f"{number} {'long name ' * 6}").slug for number in range(20)]
    page = client.get("/feeds/calendar/?q=" + "a" * 2500)
    assert (page.status_code, addresses(page.text)) == (200, [f"{BASE}/feeds/calendar.ics?q={'a' * 100}"])
    assert ("1 date" in page.text, "<svg" in page.text) == (True, True)
    without_code = client.get("/feeds/calendar/?" + "&".join(f"category={slug}" for slug in slugs))
    assert without_code.status_code == 200
    assert addresses(without_code.text)[0].count("category=") == 20
    assert ("<svg" in without_code.text, "For a phone" in without_code.text) == (False, False)


def test_the_page_of_a_kind_takes_the_other_filters(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Forum", audiences=[make_audience("SENCos")])
        make_audience("Heads")
        make_category("Coffee morning")
    page = client.get("/feeds/senco-forum/?category=senco-forum&audience=heads").text
    assert addresses(page) == [f"{BASE}/feeds/senco-forum.ics?audience=heads"]
    assert "no dates of this school year" in page
    for query, sentence in (
        ("category=coffee-morning", "This is the calendar of one kind, SENCo forum: it has no other."),
        ("audience=chess", "There is no audience called “chess”."),
        ("audiences=sencos", "There is no filter called “audiences”: it should be “audience”."),
    ):
        wrong = client.get(f"/feeds/senco-forum/?{query}")
        assert (wrong.status_code, addresses(wrong.text)) == (400, [f"{BASE}/feeds/senco-forum.ics"])
        assert f"{sentence} " in wrong.text
        assert "The address below has all dates of SENCo forum." in wrong.text


def test_the_filtered_list_leads_to_the_feed_of_the_same_filters(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event("Forum", audiences=[make_audience("SENCos")])
        make_category("Board meeting", visibility=Visibility.TEAM)
        organiser = make_organiser()
    link = r'<a href="([^"]+)">Subscribe to these dates'
    query = "category=senco-forum&audience=sencos&q=forum&from=2026-09-01&to=2028-07-31"
    (there,) = re.findall(link, client.get(f"/events/?{query}&free=y&when=coming&page=1").text)
    feed = "audience=sencos&category=senco-forum&from=2026-09-01&q=forum&to=2028-07-31"
    assert addresses(client.get(unescape(there)).text) == [f"{BASE}/feeds/calendar.ics?{feed}"]
    for unfiltered in ("", "?when=past", "?free=y"):
        assert not re.search(link, client.get(f"/events/{unfiltered}").text)
    sign_in(client, organiser)
    assert re.search(link, client.get("/events/?category=senco-forum").text)
    # Everybody may ask for the feed: it does not know what is the team's own.
    assert not re.search(link, client.get("/events/?category=board-meeting").text)


def test_my_calendars_are_mine_and_can_have_new_addresses(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
        named, said = make_school("Oakhurst"), make_school("Elm Park")
        me = make_person("priya@school.example", school_id=said.id)
        make_contact(named, me.email)
        make_contact(said, "somebody@else.example")
        mine, school = link_token(MINE, me.feed_key), link_token(SCHOOL, named.feed_key + me.feed_key)
    assert client.get("/my/calendars/").headers["Location"].startswith("/sign-in")
    sign_in(client, me)
    page = client.get("/my/calendars/?alarm=week&alarm=never").text
    found = addresses(page)
    assert (found[0], found[2]) == (
        f"{BASE}/feeds/my/{mine}.ics?alarm=week",
        f"{BASE}/feeds/school/{school}.ics?alarm=week",
    )
    assert (len(found), "/feeds/team/" in page) == (3, False)
    assert "This address stops when you are its contact no more." in page
    assert [client.get(one.removeprefix(BASE)).status_code for one in found] == [200, 200, 200]
    answer = client.post("/my/calendars/new-addresses", follow_redirects=True)
    assert "Your calendars have new addresses" in answer.text
    assert [client.get(one.removeprefix(BASE)).status_code for one in found] == [410, 410, 410]
    assert [client.get(one.removeprefix(BASE)).status_code for one in addresses(answer.text)] == [200, 200, 200]


def addresses_of_contact(app: Flask, contact: Person) -> list[str]:
    """What somebody copies from their own page."""
    client = app.test_client()
    sign_in(client, contact)
    return [one.removeprefix(BASE) for one in addresses(client.get("/my/calendars/").text)]


def test_the_team_sees_its_own_calendar_and_gives_a_school_a_new_one(app: Flask, client: FlaskClient) -> None:
    with app.app_context():
        make_event()
        organiser, school = make_organiser(), make_school("Oakhurst")
        contact = make_person("priya@school.example")
        make_contact(school, contact.email)
        old = f"/feeds/school/{link_token(SCHOOL, school.feed_key)}.ics"
    sign_in(client, organiser)
    assert "/feeds/team/" in client.get("/my/calendars/").text
    assert addresses(client.get(f"/manage/schools/{school.id}").text) == [BASE + old]
    contacts_own = addresses_of_contact(app, contact)
    answer = client.post(f"/manage/schools/{school.id}/new-address", follow_redirects=True)
    assert "The calendar of Oakhurst has a new address. The old one has stopped" in answer.text
    assert [client.get(one).status_code for one in (old, contacts_own[-1])] == [410, 410]
    renewed = addresses_of_contact(app, contact)
    assert (renewed[:-1], client.get(renewed[-1]).status_code) == (contacts_own[:-1], 200)
    with app.app_context():
        assert db.session.query(AuditEntry).filter_by(subject="school", subject_id=school.id).count() == 1
        key = db.session.get_one(School, school.id).feed_key
        assert addresses(answer.text) == [f"{BASE}/feeds/school/{link_token(SCHOOL, key)}.ics"]


@pytest.mark.usefixtures("school_day")
def test_subscribing_is_offered_on_the_home_page_after_booking_and_on_ones_own_page(
    app: Flask, client: FlaskClient
) -> None:
    with app.app_context():
        event = make_event()
        make_booking(event, email="priya@school.example")
        me = make_person("priya@school.example")
    form = {"name": "Ada Obi", "email": "ada@school.example", "school": ""}
    assert addresses(client.get("/").text) == [f"{BASE}/feeds/calendar.ics"]
    booked = client.post(f"/events/{event.id}/book", data=form, follow_redirects=True).text
    assert 'data-outcome="confirmed"' in booked
    assert addresses(booked) == [f"{BASE}/feeds/senco-forum.ics"]
    assert 'href="/my/calendars/"' in booked
    sign_in(client, me)
    with app.app_context():
        token = link_token(MINE, db.session.get_one(Person, me.id).feed_key)
    assert addresses(client.get("/my/").text) == [f"{BASE}/feeds/my/{token}.ics"]
