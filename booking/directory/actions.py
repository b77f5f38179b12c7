"""Sign in by a link or a code sent by mail; people and what they may do."""

import secrets
from contextlib import nullcontext
from dataclasses import dataclass
from datetime import timedelta

import sqlalchemy as sa

from booking.core import audit
from booking.core.clock import now
from booking.core.db import atomic, db, take_turns
from booking.core.errors import refuse_unless
from booking.core.origin import network_of, of_the_program
from booking.core.text import email_key, name_key, one_line
from booking.core.tokens import new_key, secret_hash
from booking.directory import known as known_browsers
from booking.directory import mail, queries
from booking.directory.models import Area, Person, Role, RoleName, School, SignIn
from booking.directory.register import RegisterRow

GOOD_FOR = timedelta(minutes=15)
WITHIN = timedelta(hours=1)
MOST_FOR_ADDRESS, MOST_FROM_ORIGIN = 5, 200
MOST_TRIES = 5
MOST_WRONG, WRONG_COUNT_FOR = 20, timedelta(days=1)
KEPT_FOR = timedelta(days=2)
TOO_OFTEN = "That is too often. Try again in an hour."
CODES_OFF = (
    "Too many wrong codes were typed for this address within a day, so codes are off. "
    "The link in the newest email still works."
)
USED_UP = "This link has been used, or is older than 15 minutes. Ask for a new one."
WRONG_CODE = "That is not the code, or it is older than 15 minutes. Use the newest e-mail."


@dataclass(frozen=True, slots=True)
class Asked:
    """What a request to sign in came to. Link and code went by mail only.

    `browser` is a secret for the browser that asked, without which no code is good; empty where only the link is.
    Where nothing was sent, the newest link is good for longer.
    """

    browser: str
    sent: bool = True
    codes_off: bool = False


@atomic
def ask_to_sign_in(
    email: str, *, origin: str, next_page: str, limit_origin: bool, known: str = "", browser: str = ""
) -> Asked:
    """Mail a link and a code to an address, known or not; asked too often, let the newest link be good for longer.

    Raises Refused where that is too often and no link waits. `origin` is the network address that asks; it is stored
    as a keyed hash only. `known` is the cookie of a browser that signed in before: it has an allowance of its own, so
    that strangers who ask for an address cannot use up its owner's. `browser` is what an earlier request gave.
    """
    email, origin_hash = email_key(email), secret_hash("origin", network_of(origin))
    take_turns("asking to sign in")
    key = known_browsers.key_for(queries.find_person(email) if known else None, known)
    known_hash = secret_hash("known browser", key) if key else None
    codes_off = queries.wrong_codes(email, now() - WRONG_COUNT_FOR) >= MOST_WRONG
    if _is_too_often(email, origin_hash if limit_origin else None, known_hash):
        asked_by = _lengthen_newest(email)
        refuse_unless(asked_by is not None, TOO_OFTEN)
        is_mine = browser and not codes_off and asked_by == secret_hash("sign-in browser", browser)
        return Asked(browser if is_mine else "", sent=False, codes_off=codes_off)
    link, code, browser = new_sign_in(email, origin=origin_hash, next_page=next_page, known_browser=known_hash)
    with of_the_program() if known_hash else nullcontext():  # what strangers asked for keeps no known browser out
        mail.sign_in(email, link=link, code="" if codes_off else code, good_until=now() + GOOD_FOR)
    return Asked("" if codes_off else browser, codes_off=codes_off)


def _is_too_often(email: str, origin_hash: str | None, known_hash: str | None) -> bool:
    """Tell whether no more mail goes now. What known browsers ask for counts for nobody but them."""
    since = now() - WITHIN
    by = SignIn.known_browser.is_(None) if known_hash is None else SignIn.known_browser == known_hash
    if queries.sign_ins_since(sa.and_(SignIn.email == email, by), since) >= MOST_FOR_ADDRESS:
        return True
    if known_hash or not origin_hash:
        return False
    return queries.sign_ins_since(sa.and_(SignIn.origin == origin_hash, by), since) >= MOST_FROM_ORIGIN


def _lengthen_newest(email: str) -> str | None:
    """Let the newest link that waits for an address be good from now on as if it were new.

    Returns the hash of the browser that asked for it (empty for none); None where no link waits. What is older than
    the limit's hour is left to be over: by then another mail may go.
    """
    waits = (
        sa.select(SignIn.id)
        .where(SignIn.email == email, SignIn.used_at.is_(None), SignIn.created_at > now() - WITHIN)
        .order_by(SignIn.created_at.desc(), SignIn.id.desc())
        .limit(1)
    )
    row = db.session.execute(
        sa.update(SignIn)
        .where(SignIn.id == waits.scalar_subquery(), SignIn.used_at.is_(None))
        .values(expires_at=now() + GOOD_FOR)
        .returning(SignIn.browser_hash)
    ).one_or_none()
    return None if row is None else row.browser_hash or ""


def new_sign_in(
    email: str, *, origin: str, next_page: str = "", known_browser: str | None = None
) -> tuple[str, str, str]:
    """Add a request to sign in; return its link token, its code, and what the browser holds."""
    link, browser = secrets.token_urlsafe(24), secrets.token_urlsafe(16)
    code = f"{secrets.randbelow(10**6):06d}"
    db.session.add(
        SignIn(
            email=email,
            origin=origin,
            known_browser=known_browser,
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
    """Use a code up, in the browser that asked for it. Raises Refused; five wrong ones use it up too.

    Once there were twenty wrong ones for an address within a day, no code for it works any more.
    """
    mine = SignIn.browser_hash == secret_hash("sign-in browser", browser)
    email = db.session.scalar(sa.select(SignIn.email).where(mine))
    wrong = queries.wrong_codes(email, now() - WRONG_COUNT_FOR) if email else 0
    refuse_unless(wrong <= MOST_WRONG, CODES_OFF, field="code")  # this try is counted already
    digits = "".join(letter for letter in code if letter.isdecimal())
    right = SignIn.code_hash == secret_hash("sign-in code", f"{browser}:{digits}")
    return _consume(sa.and_(mine, SignIn.tries <= MOST_TRIES, right), WRONG_CODE, tries=_one_less())


def _one_less() -> sa.ColumnElement[int]:
    """Return what stands in `tries` once a code was right: only wrong ones are counted."""
    return sa.case((SignIn.tries > 0, SignIn.tries - 1), else_=0)


@atomic
def count_try(browser: str) -> None:
    """Count a try at a code before it is looked at, in a transaction of its own: a wrong one stays counted.

    So of many at once none is looked at that goes beyond the limits. What is used up counts no further.
    """
    mine = SignIn.browser_hash == secret_hash("sign-in browser", browser)
    db.session.execute(sa.update(SignIn).where(mine, SignIn.tries <= MOST_TRIES).values(tries=SignIn.tries + 1))


def _consume(found: sa.ColumnElement[bool], sentence: str, **more: sa.ColumnElement[int]) -> tuple[Person, str]:
    """Mark a sign-in as used by one UPDATE, so that of two at once one succeeds."""
    used = db.session.execute(
        sa.update(SignIn)
        .where(found, SignIn.used_at.is_(None), SignIn.expires_at > now())
        .values(used_at=now(), **more)
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
