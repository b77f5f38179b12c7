"""The schools of the area, whom they name for which role, and named sets of them."""

from collections.abc import Callable
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue
from wtforms import SelectField, SelectMultipleField, StringField
from wtforms.fields.choices import SelectChoice
from wtforms.validators import Length, Optional, ValidationError

from booking.calendar.forms import DayField
from booking.core.clock import today
from booking.core.errors import Refused
from booking.core.forms import Form, Required, cleaned, email_field, name_field
from booking.core.slices import Spot
from booking.core.text import one_line
from booking.directory import actions as directory_actions
from booking.directory import contacts
from booking.directory import queries as directory
from booking.directory.contacts import ContactValues
from booking.directory.guards import area, organisers, the_organiser
from booking.directory.models import ContactRole, School, SchoolContact, SchoolGroup
from booking.directory.wording import SAY_ROLE
from booking.notifications.queries import put_aside
from booking.organiser import actions
from booking.organiser.views import bp


class ContactForm(Form):
    """Whom a school names for a role."""

    role = SelectField("Role", choices=[SelectChoice(role.value, words) for role, words in SAY_ROLE.items()])
    name = name_field("Name", "Enter their name")
    email = email_field("E-mail address", "Enter their e-mail address")
    starts_on = DayField("From", [Required("Enter the first day")])
    ends_on = DayField("Until (optional)", [Optional()], description="Their last day in the role.")

    def values(self) -> ContactValues:
        """Return what was said."""
        assert self.starts_on.data is not None
        return ContactValues(
            ContactRole(self.role.data),
            self.name.data or "",
            self.email.data or "",
            self.starts_on.data,
            self.ends_on.data,
        )


class GroupForm(Form):
    """A named set of schools."""

    name = StringField("Name", [Required("Enter a name"), Length(max=80, message="Use at most 80 letters")], [cleaned])
    schools = SelectMultipleField("Schools", coerce=int)

    def validate_schools(self, field: SelectMultipleField) -> None:
        """Ask for one school at least."""
        if not field.data:
            raise ValidationError("Tick at least one school")


@bp.get("/schools/")
@organisers
def schools() -> ResponseReturnValue:
    """Show the schools with their contacts of today; one without a SENCo is marked."""
    here = area()
    words = one_line(request.args.get("q", ""))[:100]
    found = directory.page_of_open_schools(here.id, words, at=Spot.of_the_address())
    now_in_office = directory.in_office_at([school.id for school in found.rows], today())
    return render_template(
        "organiser/schools.html",
        found=found,
        words=words,
        contacts=now_in_office,
        senco=ContactRole.SENCO,
        say_role=SAY_ROLE,
        groups=directory.groups_of(here.id),
        refused=put_aside([one.email for those in now_in_office.values() for one in those]),
    )


def the_school(school_id: int) -> School:
    """Return a school of the area; 404 for any other."""
    return directory.find_school(school_id, area().id) or abort(404)


def the_contact(school: School, contact_id: int) -> SchoolContact:
    """Return a contact of a school; 404 for any other."""
    return next((one for one in directory.all_contacts_of(school.id) if one.id == contact_id), None) or abort(404)


@bp.route("/schools/<int:school_id>", methods=["GET", "POST"])
@organisers
def school(school_id: int) -> ResponseReturnValue:
    """Show whom a school names, now, then and before; add one."""
    found = the_school(school_id)
    form = ContactForm(data={"starts_on": today()})
    rows = directory.all_contacts_of(found.id)

    def save() -> str:
        contacts.save_contact(found, None, form.values(), by=the_organiser())
        return "The contact is added."

    return _answer(
        form,
        save,
        url_for(".school", school_id=found.id),
        "organiser/school.html",
        school=found,
        now=[one for one in rows if one.holds_on(today())],
        others=[one for one in rows if not one.holds_on(today())],
        refused=put_aside([one.email for one in rows]),
    )


@bp.post("/schools/<int:school_id>/new-address")
@organisers
def renew_school_feed(school_id: int) -> ResponseReturnValue:
    """Give a school's feed a new address, and stop the old one with those of its contacts."""
    found = the_school(school_id)
    directory_actions.renew_feed_of(found, by=the_organiser())
    flash(
        f"The calendar of {found.name} has a new address. The old one has stopped, and so have those of its contacts: "
        "they find new ones under My bookings."
    )
    return redirect(url_for(".school", school_id=found.id))


@bp.route("/schools/<int:school_id>/contacts/<int:contact_id>", methods=["GET", "POST"])
@organisers
def school_contact(school_id: int, contact_id: int) -> ResponseReturnValue:
    """Put a contact right."""
    found = the_school(school_id)
    contact = the_contact(found, contact_id)
    given = {name: getattr(contact, name) for name in ("name", "email", "starts_on", "ends_on")}
    form = ContactForm(data={**given, "role": contact.role.value})

    def save() -> str:
        contacts.save_contact(found, contact, form.values(), by=the_organiser())
        return "Saved."

    return _answer(
        form,
        save,
        url_for(".school", school_id=found.id),
        "organiser/school_contact.html",
        school=found,
        contact=contact,
    )


@bp.post("/schools/<int:school_id>/contacts/<int:contact_id>/end")
@organisers
def end_school_contact(school_id: int, contact_id: int) -> ResponseReturnValue:
    """Let somebody be a contact no more."""
    found = the_school(school_id)
    contact = the_contact(found, contact_id)
    contacts.end_contact(contact, by=the_organiser())
    flash(f"{contact.name} gets nothing more for {found.name}.")
    flash("saved", "outcome")
    return redirect(url_for(".school", school_id=found.id))


@bp.route("/schools/groups/new", methods=["GET", "POST"])
@bp.route("/schools/groups/<int:group_id>", methods=["GET", "POST"])
@organisers
def school_group(group_id: int | None = None) -> ResponseReturnValue:
    """Add a named set of schools, or change one."""
    here, all_schools = area(), directory.open_schools(area().id)
    group = _group(group_id)
    form = GroupForm(data={"name": group.name, "schools": [one.id for one in group.schools]} if group else {})
    form.schools.choices = [SelectChoice(one.id, one.name) for one in all_schools]

    def save() -> str:
        ticked = [one for one in all_schools if one.id in set(form.schools.data or ())]
        contacts.save_group(here, group, name=form.name.data or "", schools=ticked, by=the_organiser())
        return "Saved."

    return _answer(form, save, url_for(".schools"), "organiser/school_group.html", group=group)


@bp.post("/schools/groups/<int:group_id>/delete")
@organisers
def delete_school_group(group_id: int) -> ResponseReturnValue:
    """Delete a group; its schools stay."""
    group = next((one for one in directory.groups_of(area().id) if one.id == group_id), None)
    if group is None:
        flash("There is no such group any more.")  # pressed twice
        return redirect(url_for(".schools"))
    name = group.name
    actions.delete_group(group, by=the_organiser())
    flash(f"The group {name} is deleted. Its schools stay.")
    flash("saved", "outcome")
    return redirect(url_for(".schools"))


def _group(group_id: int | None) -> SchoolGroup | None:
    if group_id is None:
        return None
    return next((one for one in directory.groups_of(area().id) if one.id == group_id), None) or abort(404)


def _answer(form: Form, save: Callable[[], str], to: str, template: str, **context: Any) -> ResponseReturnValue:
    """Show the form, or save it and go where it leads."""
    outcome = "invalid" if form.is_submitted() else ""
    if form.validate_on_submit():
        try:
            flash(save())
        except Refused as refused:
            form.refuse(refused)
            outcome = "refused"
        else:
            flash("saved", "outcome")
            return redirect(to)
    said = {"outcome": outcome} if outcome else {}
    page = render_template(template, form=form, say_role=SAY_ROLE, **said, **context)
    return page, {"invalid": 422, "refused": 409}.get(outcome, 200)
