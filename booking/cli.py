"""The commands of `flask --app wsgi …`. Answers go to standard output, everything else to standard error."""

from flask import Flask


def init_app(app: Flask) -> None:
    """Register the commands of every slice."""
    for command in ():
        app.cli.add_command(command)
