"""Mails with invitations, whole: what is stored of each, and that its text, its HTML and its calendar say the same."""

import re
from datetime import datetime
from email.message import EmailMessage
from html.parser import HTMLParser
from zoneinfo import ZoneInfo

import icalendar
import pytest

from tests.feeds import golden_mails
from tests.feeds.golden_mails import ADA, JOINING_LINK, PRIYA, RAVI, TITLE, UMA, ZOE, Played, Sent

# Played once, in one test process.
pytestmark = pytest.mark.xdist_group("golden mails")

STORED = golden_mails.stored()
BRITAIN = ZoneInfo("Europe/London")
PEOPLE = (PRIYA, ZOE, UMA, ADA, RAVI)
# Who booked reads of all their places, an attendee of their own and of who booked.
MAY_BE_NAMED = {"priya": (PRIYA, ZOE, UMA, RAVI), "zoe": (ZOE, PRIYA), "ravi": (RAVI, PRIYA), "ada": (ADA,)}
CARD = re.compile(r"^(.+)\n(\w+day \d+ \w+ \d{4}), ([\d.]+[ap]m) to ([\d.]+[ap]m)\n(.+)$", re.MULTILINE)
LINK = re.compile(r"https?://[^\s)]+")


@pytest.fixture(scope="module")
def played() -> Played:
    return golden_mails.play()


@pytest.fixture(scope="module")
def now_written(played: Played) -> dict[str, dict[str, str]]:
    return {sent.name: golden_mails.sections(sent, played.random) for sent in played.mails}


def test_each_mail_is_stored_with_its_parts_in_their_order(now_written) -> None:
    assert {name: list(parts) for name, parts in now_written.items()} == {
        name: list(parts) for name, parts in STORED.items()
    }


@pytest.mark.parametrize(("name", "title"), [(name, title) for name, parts in STORED.items() for title in parts])
def test_a_part_is_as_it_is_stored(now_written, name: str, title: str) -> None:
    """`python -m tests.feeds.golden_mails` writes all of them anew, after a look at what differs."""
    assert now_written[name][title].split("\n") == STORED[name][title].split("\n")


class Shown(HTMLParser):
    """What a page shows, a line for each paragraph, item or cell; and where its links lead."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.text, self.links, self.in_body = "", set[str](), "<body" not in page
        self.feed(page)

    def handle_starttag(self, tag, attrs) -> None:
        self.in_body = self.in_body or tag == "body"
        self.text += "\n" if tag in {"p", "h1", "li", "br", "td"} else ""
        self.links |= {value for name, value in attrs if name == "href"}

    def handle_data(self, data) -> None:
        self.text += data if self.in_body else ""


def lines(text: str) -> list[str]:
    """The lines of a text without addresses and without what marks an item, a link or the foot in plain text."""
    bare = (LINK.sub("", line).strip().removeprefix("- ").removesuffix(":").strip() for line in text.splitlines())
    return [line for line in bare if line not in {"", "--"}]


def instant(day: str, at: str) -> datetime:
    """The instant that a reader in Britain takes these words for."""
    there = datetime.strptime(f"{day} {at.replace('.', ':')}", f"%A %d %B %Y %I{':%M' if '.' in at else ''}%p")
    assert f"{there:%A}" == day.partition(" ")[0]
    return there.replace(tzinfo=BRITAIN)


def bodies(mail: EmailMessage) -> dict[str, str]:
    """What the parts say; calendars unfolded, so that no name is cut in two. Each line ends with CR and LF."""
    found = {part.get_content_type(): part.get_content() for part in mail.iter_parts()}
    assert [said for said in found.values() if re.search(r"(?<!\r)\n|\r(?!\n)", said)] == []
    return {
        kind: (re.sub(r"\r\n[ \t]", "", said) if kind == "text/calendar" else said).replace("\r\n", "\n")
        for kind, said in found.items()
    }


@pytest.fixture
def sent(played: Played, request: pytest.FixtureRequest) -> Sent:
    return next(one for one in played.mails if one.name == request.param)


every_mail = pytest.mark.parametrize("sent", STORED, indirect=True)
with_calendar = pytest.mark.parametrize(
    "sent", [name for name, parts in STORED.items() if any("text/calendar" in title for title in parts)], indirect=True
)


def statuses(text: str) -> dict[str, str]:
    """What a mail says has become of each place."""
    return dict(re.findall(r"^- (.+): (\w+)$", text, re.MULTILINE))


@every_mail
def test_text_and_html_say_the_same_line_by_line_with_the_same_links(sent: Sent) -> None:
    said = bodies(sent.mail)
    shown, (sender,) = Shown(said["text/html"]), sent.mail["From"].addresses
    assert lines(shown.text) == [sender.display_name, *lines(said["text/plain"])]
    assert shown.links == set(LINK.findall(said["text/plain"]))


@every_mail
def test_the_subject_and_the_text_name_the_same_event(sent: Sent) -> None:
    ((title, day, starts, ends, _),) = CARD.findall(bodies(sent.mail)["text/plain"])
    assert title == TITLE
    assert sent.mail["Subject"].endswith(f" {title}, {day}, {starts} to {ends}")


@every_mail
def test_a_mail_names_nobody_who_is_not_the_readers_business(sent: Sent) -> None:
    said = "".join(bodies(sent.mail).values()) + str(sent.mail["To"])
    named = {one.name for one in PEOPLE if one.name in said or (one.email or one.name) in said}
    assert named <= {one.name for one in MAY_BE_NAMED[sent.name.rpartition("-")[2]]}


@every_mail
def test_a_mail_comes_from_us_and_is_answered_to_the_organiser_and_is_dated_when_it_was_made(sent: Sent) -> None:
    mail = sent.mail
    assert [one.addr_spec for one in mail["From"].addresses] == ["calendar@example.org"]
    assert str(mail["Reply-To"]) == "team@vale-marsh.example"
    assert mail["Date"].datetime == sent.made


@every_mail
def test_who_reads_of_no_confirmed_place_of_their_own_gets_no_calendar_part_or_a_cancellation(sent: Sent) -> None:
    """And the other way round: an invitation goes with each mail to whoever has a place by it."""
    said, (to,) = bodies(sent.mail), sent.mail["To"].addresses
    comes = statuses(said["text/plain"]).get(to.display_name) == "confirmed"
    assert comes == ("METHOD:REQUEST" in said.get("text/calendar", ""))


@with_calendar
def test_the_calendar_says_what_the_text_says(played: Played, sent: Sent) -> None:
    said, (sender,), (to,) = bodies(sent.mail), sent.mail["From"].addresses, sent.mail["To"].addresses
    text, part = said["text/plain"], list(sent.mail.iter_parts())[-1]
    calendar = icalendar.Calendar.from_ical(said["text/calendar"])
    (event,) = calendar.walk("VEVENT")
    method = str(calendar["METHOD"])
    assert (part.get_content_type(), part.get_param("method")) == ("text/calendar", method)

    ((title, day, starts, ends, place),) = CARD.findall(text)
    off = method == "CANCEL"
    assert str(event["SUMMARY"]) == (f"CANCELLED: {title}" if "event_cancelled" in sent.name else title)
    assert (event["DTSTART"].dt, event["DTEND"].dt) == (instant(day, starts), instant(day, ends))
    assert str(event["LOCATION"]) == place
    assert str(event["STATUS"]) == ("CANCELLED" if off else "CONFIRMED")

    in_feed = {str(one["URL"]): str(one["UID"]) for one in icalendar.Calendar.from_ical(played.feed).walk("VEVENT")}
    assert str(event["UID"]) == in_feed[str(event["URL"])]
    assert event["DTSTAMP"].dt == sent.made
    assert str(event["ORGANIZER"]) == f"mailto:{sender.addr_spec}"
    assert event["ORGANIZER"].params["CN"] == sender.display_name
    assert str(event["ATTENDEE"]) == f"mailto:{to.addr_spec}"  # one: several would be a list
    assert (event["ATTENDEE"].params["CN"], event["ATTENDEE"].params["RSVP"]) == (to.display_name, "FALSE")

    links, in_calendar = set(LINK.findall(text)), set(LINK.findall(str(event["DESCRIPTION"])))
    assert str(event["URL"]) in links
    assert (JOINING_LINK in links) == (JOINING_LINK in in_calendar) == (not off)
    html = re.sub(r"\\([\\;,])", r"\1", event["X-ALT-DESC"])  # the library leaves what it does not know as it is
    assert Shown(html).links == in_calendar
    assert re.search("/bookings/|/places/", said["text/calendar"]) is None  # people share calendars


@every_mail
def test_a_mail_with_an_invitation_says_that_declining_it_does_not_cancel_the_booking(sent: Sent) -> None:
    said = bodies(sent.mail)
    words = "Declining the invitation in your calendar does not cancel the booking; this link does."
    invited = "METHOD:REQUEST" in said.get("text/calendar", "")
    for kind in ("text/plain", "text/html"):
        assert (words in said[kind]) == invited, kind


@every_mail
def test_a_reference_is_that_of_the_booking(played: Played, sent: Sent) -> None:
    found = re.findall("^Reference: (.*)$", bodies(sent.mail)["text/plain"], re.MULTILINE)
    assert [one for one in found if "<reference: " not in played.random.get(one, "")] == []
