"""What all commands share."""

import functools
import sys
from collections.abc import Callable
from typing import ParamSpec

import click
import sqlalchemy as sa

from booking.core.db import db, why_away
from booking.core.errors import Refused

P = ParamSpec("P")


def says_why(command: Callable[P, None]) -> Callable[P, None]:
    """Turn a refusal into a sentence on standard error and exit 1; give the connections back at the end."""

    @functools.wraps(command)
    def run(*args: P.args, **kwargs: P.kwargs) -> None:
        try:
            command(*args, **kwargs)
        except Refused as refused:
            click.echo(refused.sentence, err=True)
            sys.exit(1)
        except sa.exc.DBAPIError as error:
            click.echo(why_away(error), err=True)
            sys.exit(1)
        finally:
            db.session.remove()
            db.engine.dispose()

    return run
