"""Take in a list of contacts: choose a file, see what would change, then change it."""

from collections import Counter
from collections.abc import Mapping, Sequence

from flask import Blueprint, flash, redirect, render_template, request, url_for
from flask.typing import ResponseReturnValue

from booking.core.apart import apart
from booking.core.errors import Refused
from booking.core.text import and_list
from booking.core.web import row_number
from booking.directory import queries as directory
from booking.directory.guards import area, organisers, the_organiser
from booking.directory.models import ContactRole
from booking.directory.wording import SAY_ROLE
from booking.exchange import contacts
from booking.exchange.contacts import Change, Choice, Line
from booking.exchange.forms import ContactsFileForm
from booking.exchange.reading import Unreadable
from booking.exchange.reading.contacts import COLUMNS, ContactRow, as_csv, read_contacts

bp = Blueprint("exchange", __name__, url_prefix="/manage/schools")
SAY_CHANGE = {
    Change.ADD: "new",
    Change.CHANGE: "changed",
    Change.END: "has left",
    Change.SAME: "as it is",
    Change.OUT: "left out",
    Change.DOUBT: "in doubt",
    Change.WRONG: "cannot be",
}
LEFT_OUT = "out"


@bp.route("/import", methods=["GET", "POST"])
@organisers
def import_contacts() -> ResponseReturnValue:
    """Ask for a file, show what would change, and change it once nothing is in doubt. `rows` is the file shown."""
    form = ContactsFileForm()
    if "rows" in request.form:
        rows = _rows_shown(request.form["rows"])
        return _take_in(rows, _choices(rows))
    if not form.is_submitted():
        return _ask(form)
    if not form.validate():
        return _ask(form, "invalid"), 422
    try:
        return _preview(apart(read_contacts, form.file.data.filename or "", form.file.data.read()), {})
    except (Unreadable, Refused) as reason:
        form.refuse(Refused(str(reason), field="file"))
        return _ask(form, "invalid"), 422


def _rows_shown(text: str) -> list[ContactRow]:
    """Return the rows that the preview carries along. Raises Refused for what is none of ours."""
    try:
        return apart(read_contacts, "contacts.csv", text.encode())
    except Unreadable as reason:
        raise Refused(str(reason)) from None


def _ask(form: ContactsFileForm, outcome: str = "") -> str:
    said = {"outcome": outcome} if outcome else {}
    return render_template("exchange/import_contacts.html", form=form, columns=COLUMNS, **said)


def _choices(rows: Sequence[ContactRow]) -> dict[int, Choice]:
    """Return what was said of rows in doubt."""
    found = {}
    for row in rows:
        name = f"line-{row.number}"
        found[row.number] = Choice(request.form.get(name, type=row_number), request.form.get(name) == LEFT_OUT)
    return found


def _take_in(rows: Sequence[ContactRow], choices: Mapping[int, Choice]) -> ResponseReturnValue:
    if contacts.unready(contacts.plan(area(), rows, choices)):
        return _preview(rows, choices)
    done = contacts.apply(area(), rows, choices, by=the_organiser())
    flash(_said(done))
    flash("saved", "outcome")
    return redirect(url_for("organiser.schools"))


def _said(done: Counter[Change]) -> str:
    changed = [f"{done[one]} {SAY_CHANGE[one]}" for one in (Change.ADD, Change.CHANGE, Change.END) if done[one]]
    return f"Contacts: {and_list(changed)}." if changed else "Nothing has changed: the directory says the same."


def _preview(rows: Sequence[ContactRow], choices: Mapping[int, Choice]) -> str:
    lines = contacts.plan(area(), rows, choices)
    return render_template(
        "exchange/contacts_preview.html",
        lines=sorted(lines, key=_in_order),
        counts=Counter(line.change for line in lines),
        wrong=[line for line in lines if line.change is Change.WRONG],
        rows=as_csv(rows),
        schools=directory.open_schools(area().id),
        say_change=SAY_CHANGE,
        say_role={role.value: words for role, words in SAY_ROLE.items() if role in ContactRole},
        left_out=LEFT_OUT,
    )


def _in_order(line: Line) -> tuple[int, int]:
    """What has to be looked at comes first, what stays as it is last."""
    order = (Change.WRONG, Change.DOUBT, Change.ADD, Change.CHANGE, Change.END, Change.OUT, Change.SAME)
    return order.index(line.change), line.row.number
