"""The frame round every page, the pages about the site itself, and the list of all pages."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import sqlalchemy as sa
from alembic.runtime.migration import MigrationContext
from alembic.script import ScriptDirectory
from flask import Blueprint, Flask, abort, current_app, g, get_flashed_messages, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking import metrics
from booking.api import views as api_views
from booking.bookings import change_views as bookings_changes  # noqa: F401  it adds its pages to the blueprint
from booking.bookings import manage as bookings_manage
from booking.bookings import manage_messages, manage_places  # noqa: F401  they add their pages to the blueprint
from booking.bookings import views as bookings_views
from booking.calendar import queries as calendar_queries
from booking.calendar import versions, wording
from booking.calendar import views as calendar_views
from booking.calendar.position import map_address
from booking.calendar.terms import year_name
from booking.core.addresses import under_base
from booking.core.clock import today
from booking.core.db import db
from booking.core.health import why_not_writable
from booking.core.web import from_this_machine, plain_http
from booking.deadlines import contact_views  # noqa: F401  it adds its pages to the blueprint
from booking.deadlines import views as deadlines_views
from booking.digests import manage as digests_manage
from booking.digests import views as digests_views
from booking.directory import views as directory_views
from booking.directory.guards import ANYBODY, Visitor, find_here, public, visitor
from booking.directory.models import Area
from booking.exchange import views as exchange_views
from booking.feeds import pages as feeds_pages  # noqa: F401  they add their addresses to the blueprint
from booking.feeds import private as feeds_private  # noqa: F401
from booking.feeds import views as feeds_views
from booking.invitations import views as invitations_views
from booking.notifications import views as notifications_views
from booking.organiser import events, invitations, outbox, people, reminders, returns, schools, settings  # noqa: F401  they add their pages to the blueprint
from booking.organiser import views as organiser_views
from booking.reminders import views as reminders_views

PRODUCT = "Calendar & bookings"
bp = Blueprint("site", __name__)


def init_app(app: Flask) -> None:
    """Register every page, and what the frame of a page shows."""
    for module in (
        calendar_views,
        bookings_views,
        directory_views,
        deadlines_views,
        exchange_views,
        invitations_views,
        feeds_views,
        api_views,
        notifications_views,
        organiser_views,
        bookings_manage,
        reminders_views,
        digests_views,
        digests_manage,
        metrics,
    ):
        app.register_blueprint(module.bp)
    app.register_blueprint(bp)
    app.context_processor(frame)
    app.jinja_env.globals.update({name: getattr(wording, name) for name in wording.__all__})
    app.jinja_env.filters.update({name: getattr(wording, name) for name in wording.__all__})
    app.jinja_env.globals["map_address"] = map_address
    app.jinja_env.filters["year_name"] = year_name
    versions.watch(db.session)


@dataclass(frozen=True, slots=True)
class Site:
    """What a page says of the installation."""

    area_name: str
    area_short: str
    email: str
    phone: str
    demo: bool
    product: str = PRODUCT


def frame() -> dict[str, Any]:
    """Return what the layout shows on every page; it makes do without a database."""
    area, who = _area_and_visitor()
    return {
        "site": _site(area),
        "visitor": who,
        "nav": _nav(may_manage=area is not None and who.organises(area.id)),
        "team_nav": _team_nav(area) if area and who.organises(area.id) and _on_desk() else None,
        "year_line": calendar_queries.year_line(area, today()) if area else None,
        "today": today(),
        "outcome": _just_now(),
    }


def _just_now() -> str:
    """Return what became of the form that led to this page, unless the page says so itself."""
    said = get_flashed_messages(category_filter=["outcome"])
    return str(said[-1]) if said else ""


def _site(area: Area | None) -> Site:
    demo = bool(current_app.config["DEMO"]) and from_this_machine()
    if area is None:
        return Site(PRODUCT, PRODUCT, "", "", demo)
    return Site(area.name, area.short_name, area.email, area.phone, demo)


def _nav(*, may_manage: bool) -> list[dict[str, Any]]:
    pages = [("What’s on", "calendar.home"), ("Year", "calendar.planner"), ("Events", "calendar.events")]
    pages.append(("My bookings", "bookings.my"))
    if may_manage:
        pages.append(("Team", "organiser.desk"))
    return [{"text": text, "href": url_for(name), "current": _is_here(name)} for text, name in pages]


def _team_nav(area: Area) -> list[dict[str, Any]]:
    pages = [
        ("Desk", "organiser.desk"),
        ("Events", "organiser.events"),
        ("Schools", "organiser.schools"),
        ("People", "organiser.people"),
        ("Returns", "organiser.all_returns"),
        ("Reminders", "organiser.reminders"),
        ("Weekly e-mail", "digests_manage.digest"),
        ("Outbox", "organiser.outbox"),
        ("Log", "organiser.log"),
        ("Settings", "organiser.settings"),
    ]
    return [{"text": text, "href": url_for(name), "current": _is_here(name)} for text, name in pages]


def _is_here(name: str) -> bool:
    here = request.endpoint or ""
    if name == "calendar.events":
        return here in {name, "calendar.event", "bookings.book"}
    if name == "organiser.desk" and not _on_desk():
        return False
    if name == "organiser.events":
        return request.path.startswith("/manage/events")
    if name == "digests_manage.digest":
        return request.path.startswith("/manage/digest/")
    if name == "organiser.settings":
        return request.path.startswith("/manage/settings")
    return here == name


def _on_desk() -> bool:
    return request.path.startswith("/manage/")


def _area_and_visitor() -> tuple[Area | None, Visitor]:
    """Return whose page it is and who asks; nobody where the database does not answer: error pages have a frame too."""
    if "without_rows" in g:
        return None, ANYBODY
    try:
        area = find_here()
        return area, visitor() if area else ANYBODY
    except (sa.exc.DBAPIError, sa.exc.TimeoutError):
        db.session.rollback()
        return None, ANYBODY


@bp.get("/healthz")
@public
@plain_http
def healthz() -> ResponseReturnValue:
    """Say that the process is alive."""
    return "alive\n", {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


@bp.get("/readyz")
@public
@plain_http
def readyz() -> ResponseReturnValue:
    """Say whether requests can be served: the database answers and can be written, its migrations are at their head."""
    problem = not_ready() or why_not_writable()
    body, status = (problem, 503) if problem else ("ready", 200)
    return f"{body}\n", status, {"Content-Type": "text/plain; charset=utf-8", "Cache-Control": "no-store"}


def not_ready() -> str | None:
    """Return what keeps us from serving, or None."""
    try:
        with db.engine.connect() as connection:
            found = MigrationContext.configure(connection).get_current_revision()
    except (sa.exc.DBAPIError, sa.exc.TimeoutError):
        return "the database does not answer"
    wanted = ScriptDirectory(str(current_app.extensions["migrate"].directory)).get_current_head()
    return None if found == wanted else f"the database is at migration {found}, not {wanted}: run flask db upgrade"


@bp.get("/contact")
@public
def contact() -> ResponseReturnValue:
    """Show how to reach the partnership."""
    return render_template("site/contact.html")


@bp.get("/accessibility")
@public
def accessibility() -> ResponseReturnValue:
    """Show the accessibility statement."""
    return render_template("site/accessibility.html")


@bp.get("/privacy")
@public
def privacy() -> ResponseReturnValue:
    """Show what we keep about whom, why, and for how long."""
    return render_template("site/privacy.html")


@bp.get("/.well-known/security.txt")
@public
def security() -> ResponseReturnValue:
    """Say to whom somebody reports a weakness of this website (RFC 9116).

    That is who looks after the installation (SECURITY_CONTACT), else the partnership; 404 while neither has an address.
    """
    here = find_here()
    partnership = f"mailto:{here.email}" if here and here.email else ""
    contact = str(current_app.config["SECURITY_CONTACT"]) or partnership or abort(404)
    expires = f"{today() + timedelta(days=180):%Y-%m-%d}T00:00:00Z"  # less than a year, as the standard advises
    lines = [
        f"Contact: {contact}",
        f"Expires: {expires}",
        "Preferred-Languages: en",
        f"Canonical: {under_base(request.path)}",
    ]
    return "\n".join(lines) + "\n", {"Content-Type": "text/plain; charset=utf-8"}


@bp.get("/robots.txt")
@public
def robots() -> ResponseReturnValue:
    """Tell crawlers to leave alone what belongs to one person; feeds stay allowed, Google Calendar obeys this."""
    of_links = ("bookings", "places", "returns", "invitations", "sign-in", "reminders/stop")
    of_digest = (f"digest/{page}" for page in ("confirm", "change", "stop"))
    lines = ["User-agent: *", *(f"Disallow: /{path}/" for path in (*of_links, *of_digest, "manage", "my"))]
    return "\n".join(lines) + "\n", {"Content-Type": "text/plain; charset=utf-8"}
