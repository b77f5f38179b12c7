"""Commands about bookings."""

import sys

import click
from flask.cli import AppGroup

from booking.bookings.audit import audit as find_problems
from booking.core.commands import says_why

bookings = AppGroup("bookings", help="Bookings and their places.")


@bookings.command("audit")
@says_why
def audit() -> None:
    """Read the data; exit 1 with a list if the rules of places and waiting lists are broken anywhere."""
    problems = find_problems()
    for problem in problems:
        click.echo(problem)
    if problems:
        sys.exit(1)
    click.echo("The bookings keep the rules.")
