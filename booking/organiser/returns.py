"""Closing dates that schools answer: what is asked, the board of who has answered, and chasing."""

from collections.abc import Sequence

from flask import abort, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.calendar.models import Event, Kind
from booking.calendar.wording import say_count
from booking.core.errors import Refused, refuse_unless
from booking.core.text import one_line
from booking.core.web import row_number
from booking.deadlines import actions as deadlines
from booking.deadlines import queries
from booking.deadlines.forms import SAY_SAID_BY_US, AskForm, PasteForm, data_of
from booking.deadlines.models import Answer, Ask
from booking.deadlines.policy import OF_AN_ORGANISER, Said, is_late, progress
from booking.directory import queries as directory
from booking.directory.guards import area, organisers, the_organiser
from booking.directory.matching import Match, match_school
from booking.directory.models import School
from booking.directory.wording import SAY_ROLE
from booking.notifications.queries import put_aside
from booking.organiser import actions
from booking.organiser.views import bp, the_event

MOST_NAMES = 500


def the_closing_date(event_id: int) -> Event:
    """Return the closing date of the page; 404 for what is none."""
    event = the_event(event_id)
    return event if event.kind is Kind.DEADLINE else abort(404)


@bp.get("/returns/")
@organisers
def all_returns() -> ResponseReturnValue:
    """Show how far each closing date to come is."""
    events = queries.coming_asks(area().id)
    return render_template("organiser/all_returns.html", events=events, progress=queries.progress_of(events))


@bp.route("/events/<int:event_id>/returns/ask", methods=["GET", "POST"])
@organisers
def ask(event_id: int) -> ResponseReturnValue:
    """Set what a closing date asks of which schools."""
    event = the_closing_date(event_id)
    owed = [row.school_id for row in queries.returns_of(event.id)]
    form = AskForm(
        data=data_of(queries.find_ask(event.id), owed),
        all_groups=directory.groups_of(area().id),
        all_schools=directory.open_schools(area().id),
    )
    outcome = "invalid" if form.is_submitted() else ""
    if form.validate_on_submit():
        try:
            added = actions.set_ask(event, form.values(), by=the_organiser())
        except Refused as refused:
            form.refuse(refused)
            outcome = "refused"
        else:
            flash("Saved what schools are asked for.")
            if added:
                flash("Reminders go to schools that have not answered: see and change them under Reminders.")
            flash("saved", "outcome")
            return redirect(url_for(".returns", event_id=event.id))
    page = render_template("organiser/ask.html", event=event, form=form, outcome=outcome)
    return page, {"invalid": 422, "refused": 409}.get(outcome, 200)


@bp.route("/events/<int:event_id>/returns/", methods=["GET", "POST"])
@organisers
def returns(event_id: int) -> ResponseReturnValue:
    """Show the board of a closing date; set what was ticked."""
    event = the_closing_date(event_id)
    if request.method == "POST":
        said = _said(request.form.get("said", ""))
        rows = [queries.find_return(number, event.id) for number in request.form.getlist("return", type=row_number)]
        count = deadlines.answer_several(event, [row for row in rows if row], said, by=the_organiser())
        return _done(event, f"{say_count(count, 'school')} set: {SAY_SAID_BY_US[said]}.")
    return _board(event, PasteForm())


def _said(text: str) -> Said:
    refuse_unless(text in set(Said), "Choose what to set the schools to.", field="said")
    return Said(text)


@bp.post("/events/<int:event_id>/returns/chase")
@organisers
def chase(event_id: int) -> ResponseReturnValue:
    """Write now to all who have not answered."""
    event = the_closing_date(event_id)
    mails = deadlines.chase(event, by=the_organiser())
    return _done(event, f"{say_count(mails, 'e-mail').capitalize()} on the way to those who have not answered.")


@bp.post("/events/<int:event_id>/returns/again")
@organisers
def hear_again(event_id: int) -> ResponseReturnValue:
    """Let a school that said "not this year" be asked again."""
    event = the_closing_date(event_id)
    row = queries.find_return(request.form.get("return", 0, type=row_number), event.id)
    refuse_unless(row, "Choose the school first.")
    assert row is not None
    count = deadlines.hear_again(row, by=the_organiser())
    return _done(event, f"{row.school.name} is asked again: {say_count(count, 'closing date')} to come.")


@bp.post("/events/<int:event_id>/returns/paste")
@organisers
def paste_returns(event_id: int) -> ResponseReturnValue:
    """Match pasted names; show what was understood, and set it once nothing is in doubt."""
    event, form = the_closing_date(event_id), PasteForm()
    if not form.validate():
        return _board(event, form, outcome="invalid"), 422
    rows = {row.school_id: row for row in queries.returns_of(event.id)}
    schools = [row.school for row in rows.values()]
    matches = _matches(form.names.data or "", schools)
    chosen = [_chosen(number, match, schools) for number, match in enumerate(matches)]
    sure = all(school is not None for school in chosen) and "confirm" in request.form
    if not sure:
        return render_template(
            "organiser/paste_returns.html",
            event=event,
            form=form,
            matches=list(zip(matches, chosen, strict=True)),
            schools=schools,
            said=SAY_SAID_BY_US[Said(form.said.data)],
            doubts=sum(school is None for school in chosen),
        )
    named = {school.id: rows[school.id] for school in chosen if school}
    count = deadlines.answer_several(event, named.values(), Said(form.said.data), by=the_organiser())
    return _done(event, f"{say_count(count, 'school')} set: {SAY_SAID_BY_US[Said(form.said.data)]}.")


def _matches(text: str, schools: Sequence[School]) -> list[Match[School]]:
    lines = [one_line(line) for line in text.splitlines() if one_line(line)]
    refuse_unless(len(lines) <= MOST_NAMES, f"Paste at most {MOST_NAMES} names.", field="names")
    return [match_school(line, schools) for line in lines]


def _chosen(number: int, match: Match[School], schools: Sequence[School]) -> School | None:
    """Return the school of a line: the one chosen from the list, or the one that was understood."""
    picked = request.form.get(f"line-{number}", type=row_number)
    return next((school for school in schools if school.id == picked), None) or match.school


def _done(event: Event, sentence: str) -> ResponseReturnValue:
    flash(sentence)
    flash("saved", "outcome")
    return redirect(url_for(".returns", event_id=event.id))


def _board(event: Event, form: PasteForm, *, outcome: str = "") -> str:
    asked = queries.find_ask(event.id)
    lines = queries.board(event, asked) if asked else []
    closes_at = queries.closes_at(event)
    return render_template(
        "organiser/returns.html",
        event=event,
        ask=asked,
        form=form,
        lines=lines,
        progress=progress([line.row for line in lines], closes_at=closes_at),
        is_late=lambda row: is_late(row.answered_at, closes_at),
        refused=put_aside([contact.email for line in lines for contact in line.contacts]),
        may_say=_may_say(asked),
        say_role=SAY_ROLE,
        silences=queries.silences(event),
        years=queries.over_the_years(event),
        **({"outcome": outcome} if outcome else {}),
    )


def _may_say(asked: Ask | None) -> dict[Said, str]:
    return {said: SAY_SAID_BY_US[said] for said in OF_AN_ORGANISER[asked.answer if asked else Answer.NONE]}
