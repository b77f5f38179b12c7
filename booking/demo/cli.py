"""`demo load`."""

import click
from flask.cli import AppGroup

from booking.core.commands import says_why
from booking.demo.load import is_empty
from booking.demo.load import load as load_the_demo

demo = AppGroup("demo", help="The demonstration.")


@demo.command("load")
@click.option("--if-empty", "quietly", is_flag=True, help="Do nothing where the database is not empty.")
@says_why
def load(quietly: bool) -> None:
    """Fill an empty database with the demo partnership."""
    if quietly and not is_empty():
        return
    click.echo(f"The demonstration is loaded: {load_the_demo()} events. The organiser is organiser@example.org.")
