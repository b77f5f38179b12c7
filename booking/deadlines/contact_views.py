"""A school keeps its own contacts: only whom it names may, and which school somebody claims is no right."""

from flask import abort, flash, redirect, render_template, url_for
from flask.typing import ResponseReturnValue

from booking.core.clock import today
from booking.core.errors import Refused
from booking.core.forms import Form
from booking.core.web import limiter
from booking.deadlines.contact_forms import NameContactForm, OwnContactForm
from booking.deadlines.views import bp
from booking.directory import contacts, queries
from booking.directory.guards import area, signed_in, the_person
from booking.directory.models import School, SchoolContact
from booking.directory.wording import SAY_ROLE


def own_school(school_id: int) -> School:
    """Return a school that names the visitor today; 404 for any other."""
    mine = queries.schools_naming(the_person().email, area().id)
    return next((one for one in mine if one.id == school_id), None) or abort(404)


def contact_of(school: School, contact_id: int) -> SchoolContact:
    """Return a contact of today or to come of a school; 404 for any other."""
    return next((one for one in _now_and_to_come(school) if one.id == contact_id), None) or abort(404)


def _now_and_to_come(school: School) -> list[SchoolContact]:
    return [one for one in queries.all_contacts_of(school.id) if one.ends_on is None or one.ends_on >= today()]


@bp.route("/my/school/<int:school_id>", methods=["GET", "POST"])
@limiter.limit("30 per minute", methods=["POST"])
@signed_in
def school_contacts(school_id: int) -> ResponseReturnValue:
    """Show whom a school names; name somebody, who hears of it by mail."""
    school, form = own_school(school_id), NameContactForm()
    if not form.is_submitted():
        return _page(school, form)
    if not form.validate():
        return _page(school, form, "invalid"), 422
    try:
        found = contacts.name_contact(school, form.values(), by=the_person())
    except Refused as refused:
        form.refuse(refused)
        return _page(school, form, "refused"), 409
    flash(f"{found.name} is named, and hears of it by e-mail.")
    return _saved(school_id)


def _page(school: School, form: Form, outcome: str = "") -> str:
    return render_template(
        "deadlines/school_contacts.html",
        school=school,
        form=form,
        contacts=_now_and_to_come(school),
        own_email=the_person().email,
        say_role=SAY_ROLE,
        **({"outcome": outcome} if outcome else {}),
    )


def _saved(school_id: int) -> ResponseReturnValue:
    """Go back to the page of the school, or to one's own where it is no longer theirs."""
    flash("saved", "outcome")
    mine = queries.schools_naming(the_person().email, area().id)
    still = any(one.id == school_id for one in mine)
    return redirect(url_for(".school_contacts", school_id=school_id) if still else url_for("bookings.my"))


@bp.route("/my/school/<int:school_id>/contacts/<int:contact_id>", methods=["GET", "POST"])
@signed_in
def own_contact(school_id: int, contact_id: int) -> ResponseReturnValue:
    """Put right one's own name, and say which day is the last."""
    school = own_school(school_id)
    contact = contact_of(school, contact_id)
    if contact.email != the_person().email:
        abort(404)
    form = OwnContactForm(data={"name": contact.name, "ends_on": contact.ends_on})
    outcome = "invalid" if form.is_submitted() else ""
    if form.validate_on_submit():
        try:
            contacts.change_own(school, contact, name=form.name.data, ends_on=form.ends_on.data, by=the_person())
        except Refused as refused:
            form.refuse(refused)
            outcome = "refused"
        else:
            flash("Saved.")
            return _saved(school_id)
    said = {"outcome": outcome} if outcome else {}
    page = render_template(
        "deadlines/own_contact.html", school=school, contact=contact, form=form, say_role=SAY_ROLE, **said
    )
    return page, {"invalid": 422, "refused": 409}.get(outcome, 200)


@bp.post("/my/school/<int:school_id>/contacts/<int:contact_id>/end")
@signed_in
def contact_has_left(school_id: int, contact_id: int) -> ResponseReturnValue:
    """Say that somebody of the school has left."""
    school = own_school(school_id)
    contact = contact_of(school, contact_id)
    name = contact.name
    contacts.let_go(school, contact, by=the_person())
    flash(f"{name} gets nothing more for {school.name}.")
    return _saved(school_id)
