"""Commands about people and schools."""

import sys
from pathlib import Path

import click
import email_validator
from flask.cli import AppGroup

from booking.core.addresses import absolute
from booking.core.apart import apart
from booking.core.commands import says_why
from booking.core.errors import Refused
from booking.directory import actions, queries
from booking.directory.models import RoleName
from booking.directory.register import read_register

people = AppGroup("people", help="People and what they may do.")
schools = AppGroup("schools", help="The school directory.")


@people.command("grant")
@click.argument("email")
@click.argument("role", type=click.Choice([role.value for role in RoleName]))
@click.option("--area", "slug", help="The area's slug; may be left out where there is one.")
@says_why
def grant(email: str, role: str, slug: str | None) -> None:
    """Give a role; make the person where needed."""
    name = RoleName(role)
    area = None if name is RoleName.ADMINISTRATOR else queries.get_area(slug)
    person = actions.grant(_address(email), name, area=area, by=None)
    click.echo(f"{person.email} is {role}{f' of {area.name}' if area else ''}.")


@people.command("sign-in-link")
@click.argument("email")
@says_why
def sign_in_link(email: str) -> None:
    """Print a one-time address to sign in with, and nothing else."""
    click.echo(absolute("directory.confirm_sign_in", token=actions.sign_in_link(_address(email))))


@schools.command("import")
@click.argument("file", type=click.Path(path_type=Path))
@click.option("--area", "slug", help="The area's slug; may be left out where there is one.")
@says_why
def import_schools(file: Path, slug: str | None) -> None:
    """Read schools from a CSV with the national register's column names."""
    try:
        data = file.read_bytes()
    except OSError as error:
        raise Refused(f"{file}: {error.strerror or error}") from None
    done = actions.import_schools(queries.get_area(slug), apart(read_register, data))
    click.echo(f"{done.added} added, {done.changed} changed, {done.unchanged} unchanged.")
    sys.stdout.flush()


def _address(email: str) -> str:
    try:
        found = email_validator.validate_email(email, check_deliverability=False, allow_smtputf8=False)
    except email_validator.EmailNotValidError:
        raise Refused(f"{email} cannot be an e-mail address.") from None
    return found.ascii_email or found.normalized
