"""Addresses that answer in JSON, for anybody: who is signed in makes no difference."""

from collections.abc import Sequence
from math import ceil
from urllib.parse import urlencode

from flask import Blueprint, Response, abort, current_app, request
from flask.typing import ResponseReturnValue
from pydantic import BaseModel
from spectree import Response as Described
from spectree import SpecTree
from sqlalchemy.orm import selectinload

from booking.api.schemas import LAST_PAGE, MOST_PER_PAGE, PER_PAGE, Event, Named, Page, Problem, Query, Start
from booking.bookings import queries as bookings_queries
from booking.bookings.policy import booking_state
from booking.calendar import models
from booking.calendar import queries as calendar_queries
from booking.calendar.filters import Filters
from booking.calendar.policy import ANYBODY
from booking.core.addresses import absolute, under_base
from booking.core.clock import now, today
from booking.core.errors import Refused, refuse_unless
from booking.directory.guards import area, public

bp = Blueprint("api", __name__, url_prefix="/api/v1")

# Places left are as old as this at most, in seconds.
FRESH = 60
# What browsers let scripts of other websites do.
FOR_ANY_WEBSITE = {"Access-Control-Allow-Origin": "*", "Access-Control-Expose-Headers": "ETag"}
# They ask for it before they send this header; the answer holds for a day.
BEFORE_ASKING = {
    "Access-Control-Allow-Methods": "GET, HEAD",
    "Access-Control-Allow-Headers": "If-None-Match",
    "Access-Control-Max-Age": str(24 * 60 * 60),
}
NAMES = {field.alias or name for name, field in Query.model_fields.items()}
# It only describes what is here: our own sentences say what cannot be read, and its pages would load from elsewhere.
described = SpecTree(
    "flask",
    mode="strict",
    annotations=False,
    path="not-served",
    page_templates={},
    validation_error_status=400,
    validation_error_model=Problem,
    naming_strategy=lambda model: model.__name__,
    nested_naming_strategy=lambda _parent, child: child,
    title="The public calendar",
    version="1",
    description="Read-only, public data only. Addresses of one version stay; fields may be added.",
)


@bp.after_request
def _for_anybody(answer: Response) -> Response:
    """Let the scripts of other websites read it, and ask whether it is still so: nothing here depends on who asks."""
    answer.headers.update(FOR_ANY_WEBSITE)
    if request.method == "OPTIONS":
        answer.headers.update(BEFORE_ASKING)
    return answer


@bp.errorhandler(Refused)
def _unreadable(refused: Refused) -> ResponseReturnValue:
    """Say what of the query cannot be read: leaving it out would answer another question."""
    return Problem(error=refused.sentence, field=refused.field).model_dump(), 400, {"Cache-Control": "no-store"}


@bp.get("/")
@public
@described.validate(resp=Described(HTTP_200=Start), skip_validation=True)
def start() -> ResponseReturnValue:
    """Say what there is."""
    return _answer(
        Start(
            events=absolute("api.events"),
            openapi=absolute("api.openapi"),
            area=Named(slug=area().slug, name=area().name),
        )
    )


@bp.get("/openapi.json")
@public
def openapi() -> ResponseReturnValue:
    """Describe the addresses and their answers: OpenAPI."""
    _refuse_unknown(set())
    return current_app.json.response({**described.spec, "servers": [{"url": under_base("")}]})


@bp.get("/events")
@public
@described.validate(query=Query, resp=Described(HTTP_200=Page), skip_validation=True)
def events() -> ResponseReturnValue:
    """List the public events: what is to come, or what the filters say; cancelled ones too."""
    _refuse_unknown(NAMES)
    here, day = area(), today()
    filters = calendar_queries.filters_of(request.args.to_dict(flat=False), here, ANYBODY)
    page, size = _number("page", 1, LAST_PAGE), _number("per_page", PER_PAGE, MOST_PER_PAGE)
    total = calendar_queries.count_events(here.id, ANYBODY, filters, today=day)
    pages = max(1, ceil(total / size))
    return _answer(
        Page(
            events=_shown(_listed(here.id, filters, limit=size, offset=size * (page - 1))),
            total=total,
            page=page,
            pages=pages,
            next=_page(page + 1) if page < pages else None,
            previous=_page(min(page - 1, pages)) if page > 1 else None,
        )
    )


@bp.get("/events/<int:event_id>")
@public
@described.validate(resp=Described(HTTP_200=Event, HTTP_400=Problem, HTTP_404=Problem), skip_validation=True)
def event(event_id: int) -> ResponseReturnValue:
    """Give one public event."""
    _refuse_unknown(set())
    found = calendar_queries.find_event(event_id, area().id, ANYBODY)
    if found is None:
        abort(404, "There is no public event of this number.")
    return _answer(_shown([found])[0])


def _listed(area_id: int, filters: Filters, *, limit: int, offset: int) -> Sequence[models.Event]:
    return calendar_queries.list_events(
        area_id,
        ANYBODY,
        filters,
        today=today(),
        limit=limit,
        offset=offset,
        options=[selectinload(models.Event.audiences), calendar_queries.WITH_PARENTS],
    )


def _shown(found: Sequence[models.Event]) -> list[Event]:
    # Of a private event nobody learns that somebody waits (rule 7).
    waiting, at = bookings_queries.waiting_counts([one.id for one in found if not one.private]), now()
    return [Event.of(one, booking_state(one, at=at, waiting=waiting.get(one.id, 0))) for one in found]


def _refuse_unknown(names: set[str]) -> None:
    """Refuse a name in the query that means nothing here: it may be a filter mistyped."""
    for name in request.args:
        known = f"There are: {', '.join(sorted(names))}." if names else "There are none here."
        refuse_unless(name in names, f"There is no filter called “{name[:60]}”. {known}", field=name[:60])


def _number(name: str, usual: int, most: int) -> int:
    text = request.args.get(name, "")
    number = usual if not text else int(text) if text.isascii() and text.isdecimal() and len(text) < 8 else 0
    refuse_unless(1 <= number <= most, f"“{name}” is a number from 1 to {most:,}.", field=name)
    return number


def _page(number: int) -> str:
    query = {**request.args.to_dict(flat=False), "page": [str(number)]}
    return f"{absolute('api.events')}?{urlencode(query, doseq=True)}"


def _answer(shown: BaseModel) -> Response:
    """Answer with JSON, or 304 where the asker has it; no cookie, and any cache may keep it for a moment."""
    answer = Response(shown.model_dump_json(), mimetype="application/json")
    answer.cache_control.public = True
    answer.cache_control.max_age = FRESH
    answer.add_etag()
    answer.make_conditional(request)
    return answer
