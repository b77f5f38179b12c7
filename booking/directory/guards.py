"""Who asks, and which pages they may open. Every view carries one of these guards; a test walks the URL map."""

import functools
from collections.abc import Callable
from dataclasses import dataclass
from typing import ParamSpec

from flask import abort, current_app, g, redirect, request, url_for
from flask.typing import ResponseReturnValue
from flask_login import LoginManager, current_user

from booking.core.expired import has_typed, send_again
from booking.core.origin import Origin, network_of, remember
from booking.core.web import from_this_machine
from booking.directory import queries
from booking.directory.models import Area, Person, Role, RoleName

P = ParamSpec("P")
View = Callable[P, ResponseReturnValue]

login = LoginManager()
NOT_PUBLIC = frozenset({"organisers", "team", "this_machine"})


@dataclass(frozen=True, slots=True)
class Visitor:
    """Whoever asks for a page: somebody signed in, or anybody."""

    person: Person | None = None

    @property
    def is_signed_in(self) -> bool:
        """Tell whether we know who it is."""
        return self.person is not None

    @property
    def name(self) -> str:
        """The name, or the e-mail address of somebody who gave none yet."""
        return (self.person.name or self.person.email) if self.person else ""

    @property
    def is_administrator(self) -> bool:
        """Tell whether they hold the installation."""
        return any(role.role is RoleName.ADMINISTRATOR for role in self._roles)

    def organises(self, area_id: int) -> bool:
        """Tell whether they belong to the area's team, or are an administrator."""
        return self.is_administrator or self._holds(RoleName.ORGANISER, area_id)

    def is_staff(self, area_id: int) -> bool:
        """Tell whether they see what is for staff: the database is asked, but for those in the team."""
        return self.person is not None and (self.is_in_team(area_id) or queries.is_staff(self.person, area_id))

    def is_in_team(self, area_id: int) -> bool:
        """Tell whether they see what only the team sees: organisers and facilitators."""
        return self.organises(area_id) or self._holds(RoleName.FACILITATOR, area_id)

    def _holds(self, name: RoleName, area_id: int) -> bool:
        return any(role.role is name and role.area_id == area_id for role in self._roles)

    @property
    def _roles(self) -> list[Role]:
        return self.person.roles if self.person else []


ANYBODY = Visitor()


@login.user_loader
def _load(session_id: str) -> Person | None:
    """Return the person whose session this is: `id:session_key`, so that a new key signs out everywhere."""
    person_id, _, session_key = session_id.partition(":")
    person = queries.person_by_id(int(person_id)) if person_id.isdecimal() else None
    return person if person and person.session_key == session_key else None


def visitor() -> Visitor:
    """Return who asks for the page under way; anybody outside a request."""
    person = current_user._get_current_object() if current_user else None
    return Visitor(person) if isinstance(person, Person) else ANYBODY


def the_organiser() -> Person:
    """Return who acts on the page under way: behind the organisers' guard there is somebody."""
    return the_person()


def the_person() -> Person:
    """Return who is signed in: behind that guard, and the organisers', there is somebody."""
    person = visitor().person
    assert person is not None
    return person


def area() -> Area:
    """Return the area of the page under way; 503 while the installation has none, or several."""
    return find_here() or abort(503)


def find_here() -> Area | None:
    """Return the area of the page under way, or None; read once for each page."""
    if "area" not in g:
        g.area = queries.find_area()
    found: Area | None = g.area
    return found


def remember_origin() -> None:
    """Say where a public act comes from, before it begins; an organiser's page is none."""
    view = current_app.view_functions.get(request.endpoint or "")
    if request.method != "POST" or view is None or getattr(view, "guard", "public") in NOT_PUBLIC:
        return
    person = visitor().person
    at_home = current_app.config["DEMO"] and from_this_machine()
    network = "" if at_home else network_of(request.remote_addr or "")
    remember(Origin(network, proved=person.email if person else ""))


def guard(view: View[P], name: str) -> View[P]:
    """Mark a view with the name of its guard."""
    view.guard = name  # type: ignore[attr-defined]
    return view


def public(view: View[P]) -> View[P]:
    """Open to anybody; what it shows is chosen where rows are loaded."""
    return guard(view, "public")


def by_link(view: View[P]) -> View[P]:
    """Open to whoever holds the link: the token in the address is the right."""
    return guard(view, "by_link")


def signed_in(view: View[P]) -> View[P]:
    """Open to anybody who signed in; others are asked to."""

    @functools.wraps(view)
    def run(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not visitor().is_signed_in:
            return _ask_to_sign_in()
        return view(*args, **kwargs)

    return guard(run, "signed_in")


def organisers(view: View[P]) -> View[P]:
    """Open to the organisers of the area."""

    @functools.wraps(view)
    def run(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not visitor().is_signed_in:
            return _ask_to_sign_in()
        if not visitor().organises(area().id):
            abort(403)
        return view(*args, **kwargs)

    return guard(run, "organisers")


def team(view: View[P]) -> View[P]:
    """Open to organisers and facilitators of the area; what a facilitator sees is chosen where rows are loaded."""

    @functools.wraps(view)
    def run(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not visitor().is_signed_in:
            return _ask_to_sign_in()
        if not visitor().is_in_team(area().id):
            abort(403)
        return view(*args, **kwargs)

    return guard(run, "team")


def demo_only(view: View[P]) -> View[P]:
    """Open in the demo, to requests from this machine; elsewhere the page does not exist."""

    @functools.wraps(view)
    def run(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not current_app.config["DEMO"] or not from_this_machine():
            abort(404)
        return view(*args, **kwargs)

    return guard(run, "demo_only")


def this_machine(view: View[P]) -> View[P]:
    """Open to requests from this machine alone; to others the page does not exist."""

    @functools.wraps(view)
    def run(*args: P.args, **kwargs: P.kwargs) -> ResponseReturnValue:
        if not from_this_machine():
            abort(404)
        return view(*args, **kwargs)

    return guard(run, "this_machine")


def _ask_to_sign_in() -> ResponseReturnValue:
    """Lead to the sign-in form; what somebody typed whose session has ended meanwhile is kept for them."""
    if has_typed():
        return send_again(signed_out=True), 403
    return redirect(url_for("directory.sign_in", next=_this_page()))


def _this_page() -> str:
    return request.full_path.rstrip("?") if request.method == "GET" else ""
