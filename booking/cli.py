"""The commands of `flask --app wsgi …`. Answers go to standard output, everything else to standard error."""

from flask import Flask

from booking.bookings.cli import bookings
from booking.demo.cli import demo
from booking.directory.cli import people, schools
from booking.doctor import doctor
from booking.exchange.cli import calendar, contacts


def init_app(app: Flask) -> None:
    """Register the commands of every slice."""
    for command in (bookings, calendar, contacts, demo, doctor, people, schools):
        app.cli.add_command(command)
