"""Sign in by a link or a code sent by mail; people and what they may do."""

import secrets
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from booking.core import audit
from booking.core.clock import now
from booking.core.db import atomic, db, take_turns
from booking.core.errors import refuse_unless
from booking.core.text import email_key, name_key, one_line
from booking.core.tokens import new_key, secret_hash
from booking.directory import mail, queries
from booking.directory.models import Area, Person, Role, RoleName, School, SignIn
from booking.directory.register import RegisterRow

GOOD_FOR = timedelta(minutes=15)
WITHIN = timedelta(hours=1)
MOST_FOR_ADDRESS, MOST_FROM_ORIGIN = 5, 30
MOST_TRIES = 5
KEPT_FOR = timedelta(days=2)
TOO_OFTEN = "That is too often. Use the newest e-mail, or try again in an hour."
USED_UP = "This link has been used, or is older than 15 minutes. Ask for a new one."
WRONG_CODE = "That is not the code, or it is older than 15 minutes. Use the newest e-mail."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request to sign in gave: a secret for the browser that asked. Link and code went by mail only."""

    browser: str


@atomic
def ask_to_sign_in(email: str, *, origin: str, next_page: str, limit_origin: bool) -> Asked:
    """Mail a link and a code to an address, known or not. Raises Refused when asked too often.

    `origin` is the network address that asks; it is stored as a keyed hash only.
    """
    email, origin_hash = email_key(email), secret_hash("origin", origin)
    take_turns("asking to sign in")
    since = now() - WITHIN
    refuse_unless(queries.sign_ins_since(SignIn.email == email, since) < MOST_FOR_ADDRESS, TOO_OFTEN)
    from_there = queries.sign_ins_since(SignIn.origin == origin_hash, since) if limit_origin else 0
    refuse_unless(from_there < MOST_FROM_ORIGIN, TOO_OFTEN)
    link, code, browser = new_sign_in(email, origin=origin_hash, next_page=next_page)
    mail.sign_in(email, link=link, code=code, good_until=now() + GOOD_FOR)
    return Asked(browser)


def new_sign_in(email: str, *, origin: str, next_page: str = "") -> tuple[str, str, str]:
    """Add a request to sign in; return its link token, its code, and what the browser holds."""
    link, browser = secrets.token_urlsafe(24), secrets.token_urlsafe(16)
    code = f"{secrets.randbelow(10**6):06d}"
    db.session.add(
        SignIn(
            email=email,
            origin=origin,
            link_hash=secret_hash("sign-in link", link),
            code_hash=secret_hash("sign-in code", f"{browser}:{code}"),
            browser_hash=secret_hash("sign-in browser", browser),
            next_page=next_page,
            created_at=now(),
            expires_at=now() + GOOD_FOR,
        )
    )
    return link, code, browser


@atomic
def sign_in_link(email: str) -> str:
    """Return the token of a one-time link for an address: for the command line."""
    return new_sign_in(email_key(email), origin="the command line")[0]


@atomic
def sign_in_by_link(token: str) -> tuple[Person, str]:
    """Use a link up. Returns who it was for, and the page they wanted. Raises Refused."""
    return _consume(SignIn.link_hash == secret_hash("sign-in link", token), USED_UP)


@atomic
def sign_in_by_code(browser: str, code: str) -> tuple[Person, str]:
    """Use a code up, in the browser that asked for it. Raises Refused; five wrong ones use it up too."""
    mine = SignIn.browser_hash == secret_hash("sign-in browser", browser)
    digits = "".join(letter for letter in code if letter.isdecimal())
    return _consume(
        sa.and_(
            mine, SignIn.tries <= MOST_TRIES, SignIn.code_hash == secret_hash("sign-in code", f"{browser}:{digits}")
        ),
        WRONG_CODE,
    )


@atomic
def count_try(browser: str) -> None:
    """Count a try at a code before it is looked at, in a transaction of its own: a wrong one stays counted."""
    mine = SignIn.browser_hash == secret_hash("sign-in browser", browser)
    db.session.execute(sa.update(SignIn).where(mine).values(tries=SignIn.tries + 1))


def _consume(found: sa.ColumnElement[bool], sentence: str) -> tuple[Person, str]:
    """Mark a sign-in as used by one UPDATE, so that of two at once one succeeds."""
    used = db.session.execute(
        sa.update(SignIn)
        .where(found, SignIn.used_at.is_(None), SignIn.expires_at > now())
        .values(used_at=now())
        .returning(SignIn.email, SignIn.next_page)
    ).one_or_none()
    refuse_unless(used, sentence, field="code")
    assert used is not None
    return find_or_create(used.email), used.next_page


def find_or_create(email: str) -> Person:
    """Return the person with this address; made where there is none yet. Belongs inside an action."""
    take_turns("adding people")
    person = queries.find_person(email)
    if person is None:
        person = Person(email=email_key(email), name="", session_key=new_key(), feed_key=new_key())
        db.session.add(person)
        db.session.flush()
    return person


@atomic
def sign_out_everywhere(person: Person) -> None:
    """End every session of a person, and give their feed a new address."""
    person.session_key, person.feed_key = new_key(), new_key()


@atomic
def renew_feeds(person: Person) -> None:
    """Give somebody's feeds new addresses; the old ones answer that they have been stopped."""
    person.feed_key = new_key()


@atomic
def renew_feed_of(school: School, *, by: Person) -> None:
    """Give the feed of a school a new address; the old one and those of its contacts answer that they were stopped."""
    school.feed_key = new_key()
    audit.record("gave the feed a new address", "school", school.id, by=by, area_id=school.area_id)


@atomic
def change_details(person: Person, *, name: str, school_id: int | None) -> None:
    """Keep a person's name and school. Raises Refused for a school that is not there."""
    refuse_unless(
        school_id is None or db.session.get(School, school_id), "Choose your school from the list.", field="school"
    )
    person.name, person.school_id = one_line(name), school_id


@atomic
def change_area(area: Area, *, name: str, short_name: str, email: str, phone: str, by: Person) -> None:
    """Change what the partnership is called and how it is reached."""
    area.name, area.short_name, area.email, area.phone = one_line(name), one_line(short_name), email, one_line(phone)
    audit.record("changed the partnership", "area", area.id, by=by, area_id=area.id, name=area.name)


@atomic
def clear_old_sign_ins() -> int:
    """Remove requests to sign in that are of no use any more. Returns how many."""
    result = db.session.execute(sa.delete(SignIn).where(SignIn.created_at < now() - KEPT_FOR))
    return int(result.rowcount)  # type: ignore[attr-defined]


@atomic
def grant(email: str, role: RoleName, *, area: Area | None, by: Person | None) -> Person:
    """Give a role; make the person where needed. Granting what somebody has changes nothing."""
    person = find_or_create(email)
    area_id = None if role is RoleName.ADMINISTRATOR or area is None else area.id
    if not any(held.role is role and held.area_id == area_id for held in person.roles):
        person.roles.append(Role(role=role, area_id=area_id))
        audit.record("granted a role", "person", person.id, by=by, area_id=area_id, role=role, email=person.email)
    return person


@atomic
def revoke(role: Role, *, by: Person) -> None:
    """Take a role back. Raises Refused for the last administrator's own."""
    take_turns("taking roles back")
    (role_id,) = sa.inspect(role).identity or (None,)  # the row itself may be gone
    there = db.session.scalar(sa.select(sa.func.count()).select_from(Role).where(Role.id == role_id))
    refuse_unless(there, "Somebody has taken this role back already.")
    last = role.role is RoleName.ADMINISTRATOR and queries.count_administrators() == 1
    refuse_unless(not last, "There has to be one administrator. Make somebody else one first.")
    audit.record("took a role back", "person", role.person_id, by=by, area_id=role.area_id, role=role.role)
    db.session.delete(role)


@dataclass(frozen=True, slots=True)
class Imported:
    """What an import of schools did."""

    added: int
    changed: int
    unchanged: int


@atomic
def import_schools(area: Area, rows: list[RegisterRow]) -> Imported:
    """Add and update an area's schools from the national register. Run twice, it changes nothing the second time."""
    take_turns(f"schools of area {area.id}")
    known = {school.name_key: school for school in queries.all_schools(area)}
    by_urn = {school.urn: school for school in known.values() if school.urn}
    added = changed = 0
    for row in rows:
        school = by_urn.get(row.urn or "") or known.get(name_key(row.name))
        if school is None:
            school = School(area_id=area.id, name=row.name, name_key=name_key(row.name), phase=row.phase, urn=row.urn)
            school.postcode, school.closed_on = row.postcode, row.closed_on
            db.session.add(school)
            known[school.name_key] = school
            added += 1
            continue
        new = (row.name, row.phase, row.urn or school.urn, row.postcode or school.postcode, row.closed_on)
        if new != (school.name, school.phase, school.urn, school.postcode, school.closed_on):
            school.name, school.phase, school.urn, school.postcode, school.closed_on = new
            school.name_key = name_key(row.name)
            changed += 1
    return Imported(added, changed, len(rows) - added - changed)
