"""`calendar import`: read a spreadsheet of dates, and put it onto the calendar."""

import json
from collections import Counter
from pathlib import Path

import click
import sqlalchemy as sa
from flask.cli import AppGroup

from booking.calendar.terms import school_year_of
from booking.calendar.wording import say_day
from booking.core.apart import apart
from booking.core.clock import today
from booking.core.commands import says_why
from booking.core.db import db
from booking.core.errors import Refused
from booking.directory import queries as directory_queries
from booking.exchange import apply
from booking.exchange import contacts as take_in
from booking.exchange.apply import Applied
from booking.exchange.reading import Context, Reading, Unreadable, read_file
from booking.exchange.reading.contacts import read_contacts

calendar = AppGroup("calendar", help="The calendar.")
contacts = AppGroup("contacts", help="Whom schools name for which role.")


@contacts.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--area", "slug", help="The area's slug; may be left out where there is one.")
@says_why
def import_contacts(file: Path, slug: str | None) -> None:
    """Read contacts of schools (.xlsx, .csv); nothing is taken in while a row is in doubt."""
    area = directory_queries.get_area(slug)
    try:
        rows = apart(read_contacts, file.name, _bytes_of(file))
    except Unreadable as reason:
        raise Refused(f"{file.name}: {reason}") from None
    done = take_in.apply(area, rows, by=None)
    changes = (take_in.Change.ADD, take_in.Change.CHANGE, take_in.Change.END, take_in.Change.SAME)
    click.echo("{} added, {} changed, {} ended, {} unchanged.".format(*(done[one] for one in changes)))


def _bytes_of(file: Path) -> bytes:
    try:
        return file.read_bytes()
    except OSError as error:
        raise Refused(f"{file}: {error.strerror or error}") from None


@calendar.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--area", "slug", help="The area's slug; may be left out where there is one.")
@click.option("--publish", is_flag=True, help="Publish what raised no alarm and is meant for others.")
@click.option("--dry-run", is_flag=True, help="Read only; change nothing. Needs no database.")
@click.option("--json", "as_json", is_flag=True, help="Print one JSON object.")
@says_why
def import_calendar(file: Path, slug: str | None, publish: bool, dry_run: bool, as_json: bool) -> None:
    """Read a spreadsheet of dates (.xlsx, .csv)."""
    try:
        reading = apart(read_file, file.name, _bytes_of(file), _context(slug, needs_area=not dry_run))
    except Unreadable as reason:
        raise Refused(f"{file.name}: {reason}") from None
    done = None if dry_run else apply.apply(directory_queries.get_area(slug), reading, publish=publish)
    if as_json:
        click.echo(json.dumps(reading.to_json(), ensure_ascii=False, indent=2))
    else:
        _tell(reading, done)


def _context(slug: str | None, *, needs_area: bool) -> Context:
    """Return what is known; of a dry run that finds no database only the school year of today."""
    nothing_else = Context(year=school_year_of(today()))
    try:
        area = directory_queries.find_area(slug)
        if area:
            return apply.context_of(area)
    except sa.exc.DBAPIError:
        if needs_area:
            raise
        db.session.rollback()
        return nothing_else
    if needs_area or slug:
        directory_queries.get_area(slug)
    return nothing_else


def _tell(reading: Reading, done: Applied | None) -> None:
    """Print a summary that a person reads: what was found, what is odd, what was done."""
    click.echo(f"{reading.file}: {len(reading.entries)} entries ({reading.layout}).")
    for problem in reading.problems:
        click.echo(f"  {problem.message}")
    odd = [entry for entry in reading.entries if entry.raises_alarm]
    if odd:
        click.echo(f"{len(odd)} to look at:")
    for entry in odd:
        click.echo(f"  {entry.where}: {entry.text}")
        for issue in entry.issues:
            hint = f" Perhaps {issue.suggestion}." if issue.suggestion else ""
            click.echo(f"    {issue.code}: {issue.message}{hint}")
    remarks = Counter(issue.code for entry in reading.entries if not entry.raises_alarm for issue in entry.issues)
    for code, number in remarks.items():
        click.echo(f"{number} × {code}")
    if done is None:
        click.echo("A dry run: nothing was changed.")
        return
    click.echo(f"{done.added} added ({done.published} published, the rest as drafts), {done.unchanged} there already.")
    if done.closing_dates:
        click.echo("Closing dates were put with what they are most likely for; look whether that is right:")
    for one in done.closing_dates:
        assert one.closes_for is not None
        meeting = one.closes_for
        click.echo(f"  {one.title}, {say_day(one.day)}: for {meeting.title}, {say_day(meeting.day)}")
    for name in done.new_categories:
        click.echo(f"New kind of event, for the team only until you change it under Team, Settings: {name}")
    for entry in done.left_out:
        click.echo(f"Left out, since no day is known: {entry.where}: {entry.text}")
