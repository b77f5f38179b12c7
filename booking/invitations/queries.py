"""Reads of invitations: whom to write to, who has answered, whose link this is."""

from collections import defaultdict
from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

import sqlalchemy as sa
from sqlalchemy.orm import joinedload, selectinload

from booking.bookings.models import Booking, Place, PlaceStatus
from booking.bookings.queries import INVITATION_LINK
from booking.calendar.models import Event
from booking.core.clock import today
from booking.core.db import UtcDateTime, db
from booking.core.tokens import key_of
from booking.directory.models import ContactRole, Phase, School, SchoolContact, group_schools
from booking.directory.queries import contacts_in_roles, open_schools
from booking.invitations.models import Invitation, InvitationLetter, InvitationRound, InvitedSchool
from booking.invitations.policy import NONE_HELD, HeldPlaces, Standing, standing


def find_invitation(token: str) -> Invitation | None:
    """Return the invitation whose link this is, with contact, school and event; also one that is of no use any more."""
    key = key_of(INVITATION_LINK, token)
    if key is None:
        return None
    invited = joinedload(Invitation.invited)
    return db.session.scalar(
        sa.select(Invitation)
        .where(Invitation.key == key)
        .options(
            joinedload(Invitation.contact),
            invited.joinedload(InvitedSchool.school),
            invited.joinedload(InvitedSchool.event).options(joinedload(Event.venue), joinedload(Event.category)),
        )
    )


def is_good(invitation: Invitation) -> bool:
    """Tell whether a link still is a right: its contact holds the role today, and it was not withdrawn."""
    return invitation.invited.withdrawn_at is None and invitation.contact.holds_on(today())


def contact_invited(event: Event, token: str) -> SchoolContact | None:
    """Return whose link to book this event this is, while it is good."""
    found = find_invitation(token)
    return found.contact if found and found.invited.event_id == event.id and is_good(found) else None


@dataclass(frozen=True, slots=True)
class Chosen:
    """Whom an organiser invites: contacts for these roles. Phases, groups and schools narrow; empty means any."""

    roles: tuple[ContactRole, ...]
    phases: tuple[Phase, ...] = ()
    group_ids: tuple[int, ...] = ()
    school_ids: tuple[int, ...] = ()


def schools_chosen(area_id: int, chosen: Chosen) -> Sequence[School]:
    """Return the open schools that are chosen, by name."""
    more = []
    if chosen.phases:
        more.append(School.phase.in_(chosen.phases))
    if chosen.group_ids:
        members = sa.select(group_schools.c.school_id).where(group_schools.c.group_id.in_(chosen.group_ids))
        more.append(School.id.in_(members))
    if chosen.school_ids:
        more.append(School.id.in_(chosen.school_ids))
    return open_schools(area_id, *more)


def invited_schools(event_id: int) -> Sequence[InvitedSchool]:
    """Return the schools invited to an event, by name, with the roles asked for and who has a link."""
    return db.session.scalars(
        sa.select(InvitedSchool)
        .join(InvitedSchool.school)
        .where(InvitedSchool.event_id == event_id)
        .options(
            joinedload(InvitedSchool.school),
            selectinload(InvitedSchool.roles),
            selectinload(InvitedSchool.invitations).joinedload(Invitation.contact),
        )
        .order_by(School.name, InvitedSchool.id)
        .execution_options(populate_existing=True)
    ).all()


# When a place was given back, and nothing came of it: no colleague, no other date.
_GIVEN_BACK = sa.case((Place.became_id.is_(None), Place.cancelled_at))
Held = tuple[Collection[int], PlaceStatus, int, datetime | None]


def _of_schools(event_id: int) -> Iterator[Held]:
    """Give the places at an event whose bookers said which school they are from, counted by the database."""
    by = (Place.school_id, Place.status)
    rows = db.session.execute(
        sa.select(*by, sa.func.count(), sa.func.max(_GIVEN_BACK, type_=UtcDateTime()))
        .where(Place.event_id == event_id, Place.school_id.is_not(None))
        .group_by(*by)
    )
    return (((row[0],), row[1], row[2], row[3]) for row in rows)


def _of_no_school(event_id: int, emails: Mapping[str, Collection[int]]) -> Iterator[Held]:
    """Give the places of who named no school and has, or booked with, one of these addresses."""
    if not emails:
        return
    theirs = sa.or_(Place.email.in_(emails), Booking.email.in_(emails))
    rows = db.session.execute(
        sa.select(Place.email, Booking.email, Place.status, Place.cancelled_at, Place.became_id)
        .join(Booking, Booking.id == Place.booking_id)
        .where(Place.event_id == event_id, Place.school_id.is_(None), theirs)
    )
    for email, booked_by, status, cancelled_at, became_id in rows:
        schools = {*emails.get(email or "", ()), *emails.get(booked_by, ())}
        yield schools, status, 1, cancelled_at if became_id is None else None


def places_by_school(event_id: int, emails: Mapping[str, Collection[int]]) -> dict[int, HeldPlaces]:
    """Return what each school has of an event, by its id: by anybody of the school, with or without a link.

    A place of who named no school counts for the schools (`emails`) whose contact booked it or has it.
    """
    statuses, given_back = defaultdict[int, list[PlaceStatus]](list), dict[int, datetime]()
    for schools, status, number, last in (*_of_schools(event_id), *_of_no_school(event_id, emails)):
        for one in schools:
            if status is not PlaceStatus.CANCELLED:
                statuses[one] += [status] * number
            elif last is not None:
                given_back[one] = max(last, given_back.get(one, last))
    return {one: HeldPlaces(tuple(statuses[one]), given_back.get(one)) for one in {*statuses, *given_back}}


@dataclass(frozen=True, slots=True)
class Line:
    """One school of the board: where it stands, whom we write to, which roles nobody holds, when it was invited."""

    row: InvitedSchool
    standing: Standing
    places: int
    contacts: tuple[SchoolContact, ...]
    missing: tuple[ContactRole, ...]
    invited_at: datetime | None
    times: int


def board(event: Event) -> list[Line]:
    """Return the schools invited to an event with all that an organiser asks of them."""
    rows = invited_schools(event.id)
    roles = {role.role for row in rows for role in row.roles}
    contacts = contacts_in_roles([row.school_id for row in rows], roles, today())
    places = places_by_school(event.id, _addresses(rows))
    rounds = _rounds_of(event.id)
    return [_line(row, contacts.get(row.school_id, ()), places, rounds.get(row.id, [])) for row in rows]


def find_invited(event_id: int, school_id: int) -> InvitedSchool | None:
    """Return that a school is invited to an event."""
    return db.session.scalar(
        sa.select(InvitedSchool)
        .where(InvitedSchool.event_id == event_id, InvitedSchool.school_id == school_id)
        .options(joinedload(InvitedSchool.school))
    )


def written_to(event_id: int) -> dict[tuple[int, str], datetime]:
    """Return when each contact was last invited to an event, by the school's id and their address."""
    rows = db.session.execute(
        sa.select(InvitedSchool.school_id, SchoolContact.email, sa.func.max(InvitationRound.at))
        .join(Invitation, Invitation.invited_id == InvitedSchool.id)
        .join(SchoolContact, SchoolContact.id == Invitation.contact_id)
        .join(InvitationLetter, InvitationLetter.invitation_id == Invitation.id)
        .join(InvitationRound, InvitationRound.id == InvitationLetter.round_id)
        .where(InvitedSchool.event_id == event_id)
        .group_by(InvitedSchool.school_id, SchoolContact.email)
    )
    return {(row[0], row[1]): row[2] for row in rows}


def _addresses(rows: Sequence[InvitedSchool]) -> dict[str, set[int]]:
    found = defaultdict[str, set[int]](set)
    for row in rows:
        for invitation in row.invitations:
            found[invitation.contact.email].add(row.school_id)
    return found


def _rounds_of(event_id: int) -> dict[int, list[datetime]]:
    """Return when each invited school was written to, by the row's id, the first round first."""
    rows = db.session.execute(
        sa.select(Invitation.invited_id, InvitationRound.at)
        .join(InvitationLetter, InvitationLetter.invitation_id == Invitation.id)
        .join(InvitationRound, InvitationRound.id == InvitationLetter.round_id)
        .where(InvitationRound.event_id == event_id)
        .distinct()
        .order_by(InvitationRound.at)
    )
    found = defaultdict[int, list[datetime]](list)
    for invited_id, at in rows:
        found[invited_id].append(at)
    return found


def _line(
    row: InvitedSchool,
    contacts: Sequence[SchoolContact],
    places: Mapping[int, HeldPlaces],
    rounds: Sequence[datetime],
) -> Line:
    wanted = sorted((role.role for role in row.roles), key=list(ContactRole).index)
    mine = tuple(one for one in contacts if one.role in wanted)
    held = places.get(row.school_id, NONE_HELD)
    invited_at = rounds[-1] if rounds else None
    stands = standing(held, said_no_at=row.said_no_at, withdrawn_at=row.withdrawn_at, invited_at=invited_at)
    missing = tuple(role for role in wanted if all(one.role is not role for one in mine))
    return Line(row, stands, len(held.statuses), mine, missing, invited_at, len(rounds))


def letter_of(message_id: int) -> InvitationLetter | None:
    """Return which invitation a message is, and of which round; None where its contact is gone."""
    invited = joinedload(InvitationLetter.invitation).joinedload(Invitation.invited)
    return db.session.scalar(
        sa.select(InvitationLetter)
        .where(InvitationLetter.message_id == message_id)
        .options(
            joinedload(InvitationLetter.round),
            joinedload(InvitationLetter.invitation).joinedload(Invitation.contact),
            invited.joinedload(InvitedSchool.school),
        )
    )


def letters_of_form(event_id: int, form_key: str) -> int | None:
    """Return how many mails this rendered form has sent; None where it has sent none yet."""
    found = db.session.scalar(
        sa.select(InvitationRound.id).where(InvitationRound.event_id == event_id, InvitationRound.form_key == form_key)
    )
    if found is None:
        return None
    letters = sa.select(sa.func.count()).select_from(InvitationLetter).where(InvitationLetter.round_id == found)
    return db.session.scalar(letters) or 0
