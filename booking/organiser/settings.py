"""What is set once: the partnership, the school year, kinds of events, audiences, venues."""

from collections.abc import Callable, Sequence
from typing import Any, TypeVar

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.calendar import catalogue
from booking.calendar import queries as calendar_queries
from booking.calendar.catalogue_forms import (
    AudienceForm,
    HalfTermsForm,
    KindForm,
    VenueForm,
    data_of_half_terms,
    data_of_venue,
)
from booking.calendar.models import Audience, Category, Venue, Visibility
from booking.calendar.terms import parse_year, school_year_of, year_name
from booking.calendar.wording import say_count
from booking.core.clock import today
from booking.core.db import atomic
from booking.core.errors import Refused
from booking.core.forms import Form
from booking.directory.actions import change_area
from booking.directory.forms import AreaForm
from booking.directory.guards import area, organisers, the_organiser
from booking.organiser import actions
from booking.organiser.views import bp
from booking.reminders.actions import DEFAULT_RULES, set_category_rules

YEARS_AHEAD = 2
Row = TypeVar("Row", Category, Audience, Venue)


@bp.get("/settings/")
@organisers
def settings() -> ResponseReturnValue:
    """Show what is set, each with the way to change it."""
    here, year = area(), school_year_of(today())
    years = range(year, year + YEARS_AHEAD + 1)
    return render_template(
        "organiser/settings.html",
        area=here,
        years=[(one, bool(calendar_queries.known_half_terms(here.id, one))) for one in years],
        categories=calendar_queries.categories(here.id),
        audiences=calendar_queries.audiences(here.id),
        venues=calendar_queries.venues(here.id),
    )


@bp.route("/settings/partnership", methods=["GET", "POST"])
@organisers
def partnership() -> ResponseReturnValue:
    """Change what the partnership is called and how it is reached."""
    here = area()
    form = AreaForm(obj=here)

    def save() -> None:
        change_area(
            here,
            name=form.name.data,
            short_name=form.short_name.data,
            email=form.email.data or "",
            phone=form.phone.data or "",
            by=the_organiser(),
        )

    return _page("The partnership", form, save)


@bp.route("/settings/half-terms/<year>", methods=["GET", "POST"])
@organisers
def half_terms(year: str) -> ResponseReturnValue:
    """Set the half terms of a school year: what weeks are counted by, and when schools are closed."""
    number, here = parse_year(year), area()
    if number is None:
        abort(404)
    known = calendar_queries.known_half_terms(here.id, number)
    form = HalfTermsForm(data=data_of_half_terms(calendar_queries.half_terms(here.id, number)))

    def save() -> None:
        catalogue.set_half_terms(here, number, form.half_terms(number), by=the_organiser())

    return _page(f"Half terms {year_name(number)}", form, save, guessed=not known)


@bp.route("/settings/kinds/new", methods=["GET", "POST"])
@bp.route("/settings/kinds/<int:row_id>", methods=["GET", "POST"])
@organisers
def kind(row_id: int | None = None) -> ResponseReturnValue:
    """Add a kind of event, or change one."""
    here = area()
    known = calendar_queries.categories(here.id)
    found = _one_of(known, row_id)
    free = next((n for n in range(1, 13) if all(one.colour != n for one in known)), 1)
    form = KindForm(obj=found) if found else KindForm(data={"colour": free, "visibility": Visibility.PUBLIC.value})

    @atomic
    def save() -> None:
        saved = catalogue.save_category(here, found, form.values(), by=the_organiser())
        if found is None:
            set_category_rules(saved, DEFAULT_RULES, by=the_organiser())

    return _page(found.name if found else "New kind of event", form, save, category=found)


@bp.route("/settings/audiences/new", methods=["GET", "POST"])
@bp.route("/settings/audiences/<int:row_id>", methods=["GET", "POST"])
@organisers
def audience(row_id: int | None = None) -> ResponseReturnValue:
    """Add an audience, or change one."""
    here = area()
    found = _one_of(calendar_queries.audiences(here.id), row_id)
    form = AudienceForm(obj=found)

    def save() -> None:
        catalogue.save_audience(here, found, name=form.name.data, is_families=form.is_families.data, by=the_organiser())

    return _page(found.name if found else "New audience", form, save)


@bp.route("/settings/venues/new", methods=["GET", "POST"])
@bp.route("/settings/venues/<int:row_id>", methods=["GET", "POST"])
@organisers
def venue(row_id: int | None = None) -> ResponseReturnValue:
    """Add a venue, or change one."""
    here = area()
    found = _one_of(calendar_queries.venues(here.id), row_id)
    form = VenueForm(data=data_of_venue(found) if found else {})

    def save() -> None:
        told = actions.save_venue(here, found, form.values(), by=the_organiser())
        if told:
            flash(f"{say_count(told, 'e-mail').capitalize()} on the way to who is to come there.")

    return _page(found.name if found else "New venue", form, save)


def _one_of(rows: Sequence[Row], row_id: int | None) -> Row | None:
    """Return the row with this id, None where a new one is asked for; 404 for one that is not the area's."""
    if row_id is None:
        return None
    return next((row for row in rows if row.id == row_id), None) or abort(404)


def _page(title: str, form: Form, save: Callable[[], None], **context: Any) -> ResponseReturnValue:
    """Show the form, or save it and go back to the settings."""
    outcome = "invalid" if form.is_submitted() else ""
    if form.validate_on_submit():
        try:
            save()
        except Refused as refused:
            form.refuse(refused)
            outcome = "refused"
        else:
            flash("Saved.")
            flash("saved", "outcome")
            return redirect(url_for(".settings"))
    page = render_template(
        f"organiser/settings_{str(request.endpoint).rpartition('.')[2]}.html",
        title=title,
        form=form,
        outcome=outcome,
        **context,
    )
    return page, {"invalid": 422, "refused": 409}.get(outcome, 200)
