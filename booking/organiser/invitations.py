"""Invite schools to an event, see who has booked, said no or not answered, and invite again."""

from collections.abc import Callable, Collection
from typing import Any

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.bookings.messages import Text
from booking.calendar.models import Event
from booking.calendar.wording import say_count
from booking.core.clock import now
from booking.core.errors import Refused, refuse_unless
from booking.core.web import row_number
from booking.directory import queries as directory
from booking.directory.guards import area, organisers, the_organiser
from booking.directory.wording import SAY_ROLE
from booking.invitations import actions, queries
from booking.invitations.actions import Plan
from booking.invitations.forms import SUBJECT, SUBJECT_AGAIN, TEXT, TEXT_AGAIN, InviteForm, WordsForm
from booking.invitations.policy import Standing, count, why_nobody_is_invited
from booking.notifications.queries import put_aside
from booking.organiser.views import bp, the_event

SAY_STANDING = {
    Standing.BOOKED: "Booked",
    Standing.WAITING: "Waiting",
    Standing.NO: "Said no",
    Standing.OPEN: "Not answered",
    Standing.WITHDRAWN: "Withdrawn",
}


@bp.get("/events/<int:event_id>/invitations/")
@organisers
def invitations(event_id: int) -> ResponseReturnValue:
    """Show which schools are invited, and where each stands; `?show=` picks those that stand there."""
    event = the_event(event_id)
    lines = queries.board(event)
    show = request.args.get("show", "")
    return render_template(
        "organiser/invitations.html",
        event=event,
        lines=[line for line in lines if show not in set(Standing) or line.standing.value == show],
        all_of_them=len(lines),
        show=show,
        counts=count(line.standing for line in lines),
        say_standing=SAY_STANDING,
        say_role=SAY_ROLE,
        refused=put_aside([contact.email for line in lines for contact in line.contacts]),
        why_not=why_nobody_is_invited(event, at=now()),
    )


@bp.route("/events/<int:event_id>/invitations/new", methods=["GET", "POST"])
@organisers
def invite(event_id: int) -> ResponseReturnValue:
    """Ask whom to invite with which words, show it as one of them gets it, and send it."""
    event = the_event(event_id)
    form = InviteForm(
        data=None if request.method == "POST" else {"subject": SUBJECT, "text": TEXT, "roles": ["senco"]},
        all_groups=directory.groups_of(area().id),
        all_schools=directory.open_schools(area().id),
    )

    def send(words: Text, form_key: str) -> int:
        return actions.invite(event, form.chosen(), words, by=the_organiser(), form_key=form_key)

    return _compose(event, form, lambda: actions.plan(event, form.chosen()), send)


@bp.route("/events/<int:event_id>/invitations/again", methods=["GET", "POST"])
@organisers
def invite_again(event_id: int) -> ResponseReturnValue:
    """Ask with which words to invite once more: the schools ticked, else all that have not answered."""
    event = the_event(event_id)
    ids = _schools_asked_for(event)
    form = WordsForm(data=None if request.method == "POST" else {"subject": SUBJECT_AGAIN, "text": TEXT_AGAIN})

    def send(words: Text, form_key: str) -> int:
        return actions.invite_again(event, ids, words, by=the_organiser(), form_key=form_key)

    return _compose(event, form, lambda: actions.plan_again(event, ids), send, schools=sorted(ids), again=True)


def _schools_asked_for(event: Event) -> Collection[int]:
    """Return the schools that were ticked; on the first page, where none were, those that have not answered."""
    ticked = set(request.values.getlist("school", type=row_number))
    if ticked or request.method == "POST":
        return ticked
    refuse_unless("ticked" not in request.args, "Tick the schools first.")
    return {line.row.school_id for line in queries.board(event) if line.standing is Standing.OPEN}


def _compose(
    event: Event, form: WordsForm, plan: Callable[[], Plan], send: Callable[[Text, str], int], **context: Any
) -> ResponseReturnValue:
    """Show the form, a preview or a test of what was typed, or send it. `step` says which button was pressed."""
    why_not = why_nobody_is_invited(event, at=now())
    refuse_unless(not why_not, why_not)
    step = request.form.get("step", "preview")
    if not form.is_submitted() or step == "edit":
        return _form(event, form, **context)
    if not form.validate():
        return _form(event, form, outcome="invalid", **context), 422
    try:
        if step == "send":
            return _done(
                event, f"{say_count(send(form.words(), form.form_key.data), 'e-mail').capitalize()} on the way."
            )
        if step == "test":
            actions.send_test(event, form.words(), to=the_organiser())
            flash(f"A test is on the way to {the_organiser().email}. Nobody else gets anything yet.")
        return _preview(event, form, plan(), **context)
    except Refused as refused:
        form.refuse(refused)
        return _form(event, form, outcome="refused", **context), 409


def _form(event: Event, form: WordsForm, *, outcome: str = "", **context: Any) -> str:
    said = {"outcome": outcome} if outcome else {}
    return render_template("organiser/invite.html", event=event, form=form, **said, **context)


def _preview(event: Event, form: WordsForm, found: Plan, **context: Any) -> ResponseReturnValue:
    refuse_unless(found.to, actions.why_nobody(found))
    return render_template(
        "organiser/invite_preview.html",
        event=event,
        form=form,
        found=found,
        words=actions.preview(event, found, form.words()),
        say_role=SAY_ROLE,
        say_standing=SAY_STANDING,
        **context,
    )


@bp.post("/events/<int:event_id>/invitations/<int:school_id>/withdraw")
@organisers
def withdraw_invitation(event_id: int, school_id: int) -> ResponseReturnValue:
    """Stop the links of a school."""
    event = the_event(event_id)
    row = queries.find_invited(event.id, school_id) or abort(404)
    name = row.school.name
    actions.withdraw(event, row, by=the_organiser())
    return _done(event, f"The invitation of {name} is withdrawn: its links lead nowhere any more.")


def _done(event: Event, sentence: str) -> ResponseReturnValue:
    flash(sentence)
    flash("saved", "outcome")
    return redirect(url_for(".invitations", event_id=event.id))
