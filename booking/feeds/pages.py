"""Pages that make subscribing easy: one for each feed, and what somebody's own are."""

from urllib.parse import urlencode

import segno
from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from markupsafe import Markup

from booking.calendar import queries as calendar_queries
from booking.calendar.models import Category
from booking.calendar.policy import ANYBODY
from booking.core.addresses import absolute
from booking.core.clock import today
from booking.core.errors import Refused
from booking.directory import actions as directory
from booking.directory.guards import area, public, signed_in, the_person
from booking.feeds import queries
from booking.feeds.chosen import read_choice, whole
from booking.feeds.private import ALARMS, address_of_contact, addresses_of
from booking.feeds.views import bp

KINDS = {"my": "My bookings", "staff": "Dates for staff", "team": "Everything of the team"}
ABOUT = {
    "my": "What you booked or were booked for, and closing dates for all schools; "
    "those of your school alone too, where it names you as a contact.",
    "staff": "What is on for everybody and for staff.",
    "team": "All dates with those for the team alone; organisers see drafts too.",
}


# A code of more squares, 97 a side, is too fine for a camera at the size of our pages.
FINEST_CODE = 20


@bp.app_template_global()
def qr_code(address: str) -> Markup:
    """Return a QR code as an image inside the page: it needs no style and no request of its own.

    Nothing where the address is too long for one.
    """
    try:
        code = segno.make_qr(address, error="m")
    except segno.DataOverflowError:
        return Markup()
    if int(code.version) > FINEST_CODE:
        return Markup()
    return Markup(code.svg_inline(border=2, light="#fff", omitsize=True, svgclass="qr", lineclass=None))  # noqa: S704


@bp.get("/feeds/")
@public
def subscribe() -> ResponseReturnValue:
    """Show how to subscribe, with the address of every feed, and let one be put together."""
    return _form()


def _form(problem: Refused | None = None, *, kind: Category | None = None) -> str:
    """Show all addresses and the form, filled in as the address says."""
    here = area()
    categories = queries.public_categories(here.id)
    lines = [("calendar", "All dates", absolute("feeds.calendar"))]
    for category in categories:
        lines.append((category.slug, category.name, absolute("feeds.category", slug=category.slug)))
    return render_template(
        "feeds/subscribe.html",
        lines=lines,
        categories=categories,
        audiences=calendar_queries.audiences(here.id),
        ticked=[*request.args.getlist("category"), *([kind.slug] if kind else [])],
        problem=problem,
    )


@bp.get("/feeds/calendar/")
@public
def chosen() -> ResponseReturnValue:
    """Show how to subscribe to all dates, or to what the filters in the address choose."""
    return _page_of_a_feed("All dates")


@bp.get("/feeds/<slug>/")
@public
def one_kind(slug: str) -> ResponseReturnValue:
    """Show how to subscribe to the dates of one kind, or to those that the other filters in the address choose."""
    kind = queries.find_public_category(area().id, slug) or abort(404)
    return _page_of_a_feed(kind.name, kind)


def _page_of_a_feed(name: str, kind: Category | None = None) -> ResponseReturnValue:
    """Show the address of what is chosen; with a sentence the whole feed's, where it cannot be read.

    Days are typed: one that cannot be is shown at its field.
    """
    here, problem, found = area(), None, None
    try:
        choice = read_choice(here, request.args.to_dict(flat=False), kind=kind)
    except Refused as refused:
        if refused.field in {"from", "to"}:
            return _form(refused, kind=kind), 400
        choice, problem = whole(kind), refused
    if choice.is_narrow:
        filters = queries.lasting(choice.filters, today=today())
        found = calendar_queries.count_events(here.id, ANYBODY, filters, today=today())
    page = render_template(
        "feeds/feed.html",
        name="Dates you chose" if choice.is_narrow else name,
        called=choice.name_in(here),
        choice=choice,
        found=found,
        problem=problem,
    )
    return page, 400 if problem else 200


@bp.get("/my/calendars/")
@signed_in
def mine() -> ResponseReturnValue:
    """Show the addresses of somebody's own feeds, with alarms as they choose."""
    person = the_person()
    alarms = [name for name in ALARMS if name in request.args.getlist("alarm")]
    query = f"?{urlencode({'alarm': alarms}, doseq=True)}" if alarms else ""
    lines = [
        (kind, KINDS[kind], ABOUT[kind], address + (query if kind == "my" else ""))
        for kind, address in addresses_of(person).items()
    ]
    about = (
        "Closing dates of the school, and the events at which somebody of it has a place: nobody’s name. "
        "This address stops when you are its contact no more."
    )
    for school in queries.schools_that_name(person.email):
        lines.append((f"school-{school.id}", school.name, about, address_of_contact(school, person) + query))
    return render_template("feeds/mine.html", lines=lines, alarms=alarms)


@bp.post("/my/calendars/new-addresses")
@signed_in
def renew() -> ResponseReturnValue:
    """Give somebody's own feeds new addresses, and stop the old ones."""
    person = the_person()
    directory.renew_feeds(person)
    flash("Your calendars have new addresses. The old ones have stopped: subscribe again where you want them.")
    return redirect(url_for("feeds.mine"))
