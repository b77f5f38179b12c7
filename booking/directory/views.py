"""Sign in and out, and one's own details."""

from dataclasses import asdict
from typing import Any

from flask import (
    Blueprint,
    Response,
    abort,
    after_this_request,
    current_app,
    flash,
    redirect,
    render_template,
    request,
    session,
    url_for,
)
from flask.typing import ResponseReturnValue
from flask_login import login_user, logout_user

from booking.core.errors import Refused
from booking.core.tokens import secret_hash
from booking.core.web import limiter
from booking.directory import actions, known, queries
from booking.directory.forms import CodeForm, DetailsForm, SignInForm
from booking.directory.guards import area, demo_only, public, signed_in, the_person
from booking.directory.models import Person, RoleName

bp = Blueprint("directory", __name__)

DEMO_ORGANISER = "organiser@example.org"


@bp.route("/sign-in", methods=["GET", "POST"])
@limiter.limit("30 per minute", methods=["POST"])
@public
def sign_in() -> ResponseReturnValue:
    """Ask for an e-mail address; mail a link and a code to it."""
    form = SignInForm()
    wanted = _page_of_ours(request.values.get("next", ""))
    if not form.validate_on_submit():
        return _form("directory/sign_in.html", form, next_page=wanted)
    try:
        asked = actions.ask_to_sign_in(
            form.email.data,
            origin=request.remote_addr or "",
            next_page=wanted,
            limit_origin=bool(current_app.config["RATELIMIT_ENABLED"]),
            known=request.cookies.get(_known_cookie(), ""),
            browser=session.get("sign_in", {}).get("browser", ""),
        )
    except Refused as refused:
        form.refuse(refused)
        return _form("directory/sign_in.html", form, outcome="refused", next_page=wanted)
    session["sign_in"] = {"email": form.email.data, **asdict(asked)}
    return redirect(url_for(".code"))


@bp.route("/sign-in/code", methods=["GET", "POST"])
@limiter.limit("30 per minute", methods=["POST"])
@public
def code() -> ResponseReturnValue:
    """Take the code, in the browser that asked for it."""
    asked = session.get("sign_in")
    if not asked:
        return redirect(url_for(".sign_in"))
    form = CodeForm()
    if not form.validate_on_submit():
        return _form("directory/code.html", form, asked=asked)
    try:
        actions.count_try(asked["browser"])
        return _welcome(*actions.sign_in_by_code(asked["browser"], form.code.data))
    except Refused as refused:
        form.refuse(refused)
        return _form("directory/code.html", form, outcome="refused", asked=asked)


@bp.route("/sign-in/<token>", methods=["GET", "POST"])
@limiter.limit("30 per minute", methods=["POST"])
@public
def confirm_sign_in(token: str) -> ResponseReturnValue:
    """Show a button: mail scanners follow links, so only a press uses the link up."""
    if request.method == "POST":
        return _welcome(*actions.sign_in_by_link(token))
    found = queries.find_sign_in(secret_hash("sign-in link", token))
    return render_template(
        "directory/confirm.html", usable=found is not None, sentence=actions.USED_UP
    ), 200 if found else 410


def _welcome(person: Person, next_page: str) -> ResponseReturnValue:
    """Begin a new session for somebody who proved their address."""
    session.clear()
    login_user(person)
    session.permanent = True
    _remember(person)
    if not person.name:
        return redirect(url_for(".details", next=next_page or None))
    return redirect(next_page or _first_page(person))


def _remember(person: Person) -> None:
    """Let this browser be known as one in which they signed in: what strangers ask for does not count against it."""
    value = known.remember(person, request.cookies.get(_known_cookie(), ""))

    @after_this_request
    def set_cookie(response: Response) -> Response:
        is_https = bool(current_app.config["SESSION_COOKIE_SECURE"])
        response.set_cookie(
            _known_cookie(), value, max_age=known.LASTS, path="/", secure=is_https, httponly=True, samesite="Lax"
        )
        return response


def _known_cookie() -> str:
    return "__Host-known" if current_app.config["SESSION_COOKIE_SECURE"] else "known"


def _first_page(person: Person) -> str:
    """Return the desk for who may open it, else one's own bookings."""
    on_the_desk = any(role.role is not RoleName.FACILITATOR for role in person.roles)
    return url_for("organiser.desk" if on_the_desk else "bookings.my")


@bp.post("/sign-out")
@public
def sign_out() -> ResponseReturnValue:
    """End this session."""
    logout_user()
    session.clear()
    flash("You are signed out.")
    return redirect(url_for("calendar.home"))


@bp.post("/my/sign-out-everywhere")
@signed_in
def sign_out_everywhere() -> ResponseReturnValue:
    """End all sessions of the visitor, and give their feed a new address."""
    person = the_person()
    actions.sign_out_everywhere(person)
    logout_user()
    session.clear()
    _remember(person)
    flash("You are signed out everywhere. The address of your own calendar has changed too.")
    return redirect(url_for("calendar.home"))


@bp.route("/my/details", methods=["GET", "POST"])
@signed_in
def details() -> ResponseReturnValue:
    """Ask for a name and a school: what booking forms then know."""
    person = the_person()
    wanted = _page_of_ours(request.values.get("next", ""))
    form = DetailsForm(
        data={"name": person.name, "school": str(person.school_id or "")}, schools=queries.schools_to_choose(area())
    )
    if not form.validate_on_submit():
        return _form("directory/details.html", form, next_page=wanted)
    actions.change_details(person, name=form.name.data, school_id=int(form.school.data) if form.school.data else None)
    flash("Saved.")
    flash("saved", "outcome")
    return redirect(wanted or _first_page(person))


@bp.route("/demo/sign-in", methods=["GET", "POST"])
@demo_only
def demo_sign_in() -> ResponseReturnValue:
    """Say what organisers see; the press signs in as the demonstration's organiser at once."""
    organiser = queries.find_person(DEMO_ORGANISER) or abort(404)
    if request.method == "POST":
        return _welcome(organiser, "")
    return render_template("directory/demo.html", organiser=organiser)


def _form(template: str, form: Any, *, outcome: str = "", **context: Any) -> ResponseReturnValue:
    outcome = outcome or ("invalid" if form.is_submitted() else "")
    status = {"invalid": 422, "refused": 409}.get(outcome, 200)
    return render_template(template, form=form, outcome=outcome, **context), status


def _page_of_ours(address: str) -> str:
    """Return a path of ours, or nothing: nobody is sent elsewhere after signing in."""
    is_ours = address.startswith("/") and not address.startswith(("//", "/\\")) and address.isprintable()
    return address[:300] if is_ours else ""
