"""Invite schools, invite again, withdraw; a school says that nobody can come."""

from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from booking.bookings.messages import Text
from booking.calendar.models import Event
from booking.core import audit
from booking.core.clock import now, today
from booking.core.db import atomic, db, lock
from booking.core.errors import refuse_unless
from booking.core.text import one_line
from booking.core.tokens import new_key
from booking.directory.models import ContactRole, Person, School, SchoolContact
from booking.directory.queries import contacts_in_roles
from booking.invitations import mail, queries
from booking.invitations.models import Invitation, InvitationLetter, InvitationRound, InvitedRole, InvitedSchool
from booking.invitations.policy import NONE_HELD, Standing, standing, why_nobody_is_invited
from booking.invitations.queries import Chosen
from booking.notifications import outbox
from booking.notifications import queries as message_queries
from booking.notifications.models import Message
from booking.notifications.outbox import Words
from booking.notifications.verdict import Drop, Verdict

# Two organisers at once, or one who presses in two windows, do not write twice.
AGAIN_AFTER = timedelta(hours=1)
HAVE_BOOKED = frozenset({Standing.BOOKED, Standing.WAITING})


@dataclass(frozen=True, slots=True)
class Plan:
    """Who would be written to, and who would not, each with the reason."""

    to: list[tuple[School, SchoolContact]] = field(default_factory=list)
    # The roles that are invited at each school, also where nobody is written to.
    schools: list[tuple[School, tuple[ContactRole, ...]]] = field(default_factory=list)
    without: list[tuple[School, ContactRole]] = field(default_factory=list)
    refused: list[tuple[School, SchoolContact]] = field(default_factory=list)
    before: list[tuple[School, SchoolContact]] = field(default_factory=list)
    answered: list[tuple[School, Standing]] = field(default_factory=list)


def plan(event: Event, chosen: Chosen) -> Plan:
    """Return whom a first invitation goes to: not to who was invited before, nor to schools that have answered."""
    schools = queries.schools_chosen(event.area_id, chosen)
    refuse_unless(chosen.roles, "Tick at least one role.", field="roles")
    refuse_unless(schools, "No school is all that is ticked. Tick less.", field="phases")
    return _plan(event, [(school, chosen.roles) for school in schools], again=False)


def plan_again(event: Event, school_ids: Collection[int]) -> Plan:
    """Return whom another invitation goes to: the contacts of today of these schools, unless they have booked."""
    lines = [line for line in queries.board(event) if line.row.school_id in school_ids]
    refuse_unless(lines, "Tick the schools first.")
    return _plan(event, [(line.row.school, tuple(role.role for role in line.row.roles)) for line in lines], again=True)


def _plan(event: Event, wanted: Sequence[tuple[School, tuple[ContactRole, ...]]], *, again: bool) -> Plan:
    ids = [school.id for school, _ in wanted]
    contacts = contacts_in_roles(ids, {role for _, roles in wanted for role in roles}, today())
    stands = _standings(event, contacts)
    written = queries.written_to(event.id)
    aside = message_queries.put_aside([one.email for those in contacts.values() for one in those])
    found = Plan(schools=list(wanted))
    for school, roles in wanted:
        stand = stands.get(school.id, Standing.OPEN)
        if stand in HAVE_BOOKED or (stand is Standing.NO and not again):
            found.answered.append((school, stand))
            continue
        mine = [one for one in contacts.get(school.id, ()) if one.role in roles]
        found.without.extend((school, role) for role in roles if all(one.role is not role for one in mine))
        for contact in {one.email: one for one in reversed(mine)}.values():  # one mail, whatever roles they hold
            at = written.get((school.id, contact.email))
            lately = at is not None and at > now() - AGAIN_AFTER
            if contact.email in aside:
                found.refused.append((school, contact))
            elif lately or (at is not None and not again and stand is not Standing.WITHDRAWN):
                found.before.append((school, contact))
            else:
                found.to.append((school, contact))
    return found


def _standings(event: Event, contacts: dict[int, list[SchoolContact]]) -> dict[int, Standing]:
    """Return where schools stand that are invited, or are about to be."""
    lines = {line.row.school_id: line.standing for line in queries.board(event)}
    emails: dict[str, set[int]] = {}
    for school_id, those in contacts.items():
        for one in those:
            emails.setdefault(one.email, set()).add(school_id)
    for school_id, held in queries.places_by_school(event.id, emails).items():
        if school_id not in lines and held.statuses:
            lines[school_id] = standing(held, said_no_at=None, withdrawn_at=None, invited_at=None)
    return lines


@atomic
def invite(event: Event, chosen: Chosen, words: Text, *, by: Person, form_key: str = "") -> int:
    """Invite contacts by their roles. Returns how many mails; the same form does it once. Raises Refused."""
    lock(event)
    sent = queries.letters_of_form(event.id, form_key)
    return _send(event, plan(event, chosen), words, by=by, form_key=form_key) if sent is None else sent


@atomic
def invite_again(event: Event, school_ids: Collection[int], words: Text, *, by: Person, form_key: str = "") -> int:
    """Invite these schools once more, with words of their own. Returns how many mails. Raises Refused.

    A school that said no and is asked again has not answered.
    """
    lock(event)
    sent = queries.letters_of_form(event.id, form_key)
    return _send(event, plan_again(event, school_ids), words, by=by, form_key=form_key) if sent is None else sent


def _send(event: Event, found: Plan, words: Text, *, by: Person, form_key: str) -> int:
    why_not = why_nobody_is_invited(event, at=now())
    refuse_unless(not why_not, why_not)
    refuse_unless(found.to, why_nobody(found))
    rows = _invited(event, found)
    act = InvitationRound(
        event_id=event.id, form_key=form_key or new_key(), subject=words.subject, text=words.text, at=now()
    )
    invitations = [_invitation(rows[school.id], contact) for school, contact in found.to]
    db.session.add(act)
    db.session.flush()
    messages = [mail.post(event, mail.letter_for(one), words) for one in invitations]
    db.session.flush()
    for invitation, message in zip(invitations, messages, strict=True):
        letter = InvitationLetter(round_id=act.id, invitation_id=invitation.id, message_id=message.id)
        db.session.add(letter)
    audit.record(
        "invited schools to",
        "event",
        event.id,
        by=by,
        area_id=event.area_id,
        message=words.subject,
        schools=len({school.id for school, _ in found.to}),
        mails=len(messages),
    )
    return len(messages)


def why_nobody(found: Plan) -> str:
    """Return why nobody is written to, in a sentence."""
    if found.before and not (found.without or found.refused):
        return "They have been invited already. Invite again those who have not answered, after an hour."
    if found.answered and not (found.without or found.refused):
        return "These schools have answered already."
    return "Nobody can be written to: the schools have no contact for this, or their address refuses mail."


def _invited(event: Event, found: Plan) -> dict[int, InvitedSchool]:
    """Return the rows of all schools of a plan, by the school's id; those written to have not answered any more."""
    rows = {row.school_id: row for row in queries.invited_schools(event.id)}
    written = {school.id for school, _ in found.to}
    for school, roles in found.schools:
        row = rows.get(school.id)
        if row is None:
            row = rows[school.id] = InvitedSchool(event=event, school=school, created_at=now())
            db.session.add(row)
        known = {one.role for one in row.roles}
        row.roles.extend(InvitedRole(role=role) for role in roles if role not in known)
        if school.id in written:
            _ask_anew(row)
    db.session.flush()
    return rows


def _ask_anew(row: InvitedSchool) -> None:
    row.said_no_at, row.said_no_by, row.reason = None, "", ""
    if row.withdrawn_at is not None:
        row.withdrawn_at = None
        for invitation in row.invitations:  # what was withdrawn stays so
            invitation.key = new_key()


def _invitation(row: InvitedSchool, contact: SchoolContact) -> Invitation:
    mine = next((one for one in row.invitations if one.contact_id == contact.id), None)
    if mine is None:
        mine = Invitation(contact=contact, contact_id=contact.id, key=new_key())
        row.invitations.append(mine)
    return mine


@atomic
def withdraw(event: Event, row: InvitedSchool, *, by: Person) -> None:
    """Stop the links of a school; what waits in the outbox does not go. A booking stays. Pressed twice, it is once."""
    lock(event)
    db.session.refresh(row)
    if row.withdrawn_at is None:
        row.withdrawn_at = now()
        audit.record(
            "withdrew the invitation to", "event", event.id, by=by, area_id=event.area_id, school=row.school.name
        )


@atomic
def say_no(invitation: Invitation, reason: str) -> None:
    """Write down that a school cannot come; said again, the last reason counts. Raises Refused."""
    row = invitation.invited
    event = row.event
    lock(event)
    refuse_unless(queries.is_good(invitation), "This link has stopped. Ask the partnership.")
    refuse_unless(not event.is_cancelled, "This event has been cancelled: there is nothing to answer any more.")
    refuse_unless(now() < event.starts_at, "This event has started or is over: there is nothing to answer any more.")
    reason = one_line(reason)[:200]
    if row.said_no_at is not None and reason in {"", row.reason}:
        return
    row.said_no_at, row.said_no_by, row.reason = now(), invitation.contact.name, reason
    audit.record(
        "said no to the invitation to",
        "event",
        event.id,
        by=None,
        area_id=event.area_id,
        school=row.school.name,
        who=invitation.contact.name,
    )


@atomic
def send_test(event: Event, words: Text, *, to: Person) -> None:
    """Mail an invitation as it would be to who asks for it; its links are nobody's."""
    mail.post_test(event, words, to=to)


def preview(event: Event, found: Plan, words: Text) -> Words:
    """Return the mail as the first contact gets it, but for their links: these are a right, and theirs alone."""
    school, contact = found.to[0]
    return mail.words_now(event, mail.sample(event, contact.email, contact.name, school.name), words)


def still_wanted(message: Message) -> Verdict:
    """Return why an invitation should not go any more; one that goes says what is so by now."""
    if message.kind != mail.INVITATION or message.event_id is None:
        return None
    event = db.session.get(Event, message.event_id)
    if event is None or event.is_cancelled:
        return Drop("the event was cancelled")
    if why_nobody_is_invited(event, at=now()):
        return Drop("the event takes no bookings any more")
    letter = queries.letter_of(message.id)
    reason = _why_not(letter.invitation, letter.round, message) if letter else "they have left the school"
    if reason or letter is None:
        return Drop(reason)
    said = mail.words_now(event, mail.letter_for(letter.invitation), Text(letter.round.subject, letter.round.text))
    if said != Words(message.subject, message.text, message.html):
        outbox.rewrite(message, said)
    return None


def _why_not(invitation: Invitation, act: InvitationRound, message: Message) -> str:
    """Return why this contact is not invited any more; nothing where they are."""
    row, contact = invitation.invited, invitation.contact
    if row.withdrawn_at is not None:
        return "the invitation was withdrawn"
    if not contact.holds_on(today()):
        return "they have left the school"
    if contact.email != message.to_email:
        return "they have another address"
    held = queries.places_by_school(row.event_id, {contact.email: [row.school_id]}).get(row.school_id, NONE_HELD)
    stands = standing(held, said_no_at=row.said_no_at, withdrawn_at=None, invited_at=act.at)
    if stands in HAVE_BOOKED:
        return "the school has booked"
    return "the school has said no" if stands is Standing.NO else ""
