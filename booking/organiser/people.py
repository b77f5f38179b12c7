"""Who has a role, and giving and taking them; and the log."""

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.core.db import db
from booking.core.slices import Spot
from booking.core.web import row_number
from booking.directory import actions
from booking.directory import queries as directory_queries
from booking.directory.forms import GrantForm
from booking.directory.guards import area, organisers, the_organiser, visitor
from booking.directory.models import Role, RoleName
from booking.organiser import queries
from booking.organiser.views import bp


@bp.route("/people/", methods=["GET", "POST"])
@organisers
def people() -> ResponseReturnValue:
    """Show who has a role; an administrator gives one."""
    form = GrantForm()
    became = {}
    if form.is_submitted():
        if not visitor().is_administrator:
            abort(403)
        if form.validate():
            person = actions.grant(form.email.data, RoleName(form.role.data), area=area(), by=the_organiser())
            flash(f"{person.email} is {form.role.data} now.")
            flash("saved", "outcome")
            return redirect(url_for(".people"))
        became = {"outcome": "invalid"}
    roles = directory_queries.roles_of(area(), at=Spot.of_the_address())
    page = render_template(
        "organiser/people.html", form=form, roles=roles, may_grant=visitor().is_administrator, **became
    )
    return page, 422 if became else 200


@bp.post("/people/<int:role_id>/revoke")
@organisers
def revoke(role_id: int) -> ResponseReturnValue:
    """Take a role back."""
    role = db.session.get(Role, role_id)
    if not visitor().is_administrator or role is None or role.area_id not in (None, area().id):
        abort(403 if role else 404)
    actions.revoke(role, by=the_organiser())
    flash("The role is taken back.")
    flash("saved", "outcome")
    return redirect(url_for(".people"))


@bp.get("/log/")
@organisers
def log() -> ResponseReturnValue:
    """Show what organisers did, and whose data they opened."""
    found = queries.log_entries(
        area().id, event_id=request.args.get("event", type=row_number), at=Spot.of_the_address()
    )
    events = {entry.subject_id for entry in found.rows if entry.subject == "event" and entry.subject_id}
    nameless = {entry.actor_id for entry in found.rows if entry.actor_id and not entry.actor_name}
    return render_template(
        "organiser/log.html",
        found=found,
        titles=queries.titles_of(events, area().id),
        emails=queries.emails_of(nameless) if nameless else {},
    )
