"""Write to the people of an event: type, look at it as one of them gets it, send."""

from flask import render_template, request
from flask.typing import ResponseReturnValue

from booking.bookings import lists, messages
from booking.bookings.manage import back_to_the_list, bp, the_event
from booking.bookings.manage_forms import MessageForm
from booking.calendar.models import Event
from booking.calendar.wording import say_count
from booking.core.errors import Refused
from booking.directory.guards import organisers, the_organiser


@bp.route("/message", methods=["GET", "POST"])
@organisers
def message(event_id: int) -> ResponseReturnValue:
    """Ask what to say to whom, show it as one of them gets it, and send it. `step` says which button was pressed."""
    event = the_event(event_id)
    form = MessageForm(schools=lists.schools_at(event), data=_asked_for())
    step = request.form.get("step", "preview")
    if not form.is_submitted() or step == "edit":
        return _form(event, form)
    if not form.validate():
        return _form(event, form, outcome="invalid"), 422
    try:
        return _send(event, form) if step == "send" else _preview(event, form)
    except Refused as refused:
        form.refuse(refused)
        return _form(event, form, outcome="refused"), 409


def _asked_for() -> dict[str, str]:
    """Return whom the address says the message is for."""
    return {name: request.args[name] for name in ("to", "school") if name in request.args}


def _form(event: Event, form: MessageForm, *, outcome: str = "") -> str:
    return render_template("organiser/message.html", event=event, form=form, outcome=outcome)


def _preview(event: Event, form: MessageForm) -> ResponseReturnValue:
    told = messages.recipients(event, form.group, school_id=form.school_id)
    if not told:
        raise Refused("There is nobody to write to. Choose somebody else.", field="to")
    return render_template(
        "organiser/message_preview.html",
        event=event,
        form=form,
        told=told,
        words=messages.preview(event, told[0], form.message()),
    )


def _send(event: Event, form: MessageForm) -> ResponseReturnValue:
    told = messages.send(
        event,
        form.message(),
        by=the_organiser(),
        group=form.group,
        school_id=form.school_id,
        form_key=form.form_key.data or "",
    )
    return back_to_the_list(event, f"{say_count(told, 'e-mail').capitalize()} on the way.")
