"""What the database itself can do: the rows of a booking under the event's lock, written by hand."""

import re
from contextlib import closing
from itertools import count, cycle
from typing import Any

from flask import Flask

from booking.bookings.models import Booking, InvitationCount, Place
from booking.core.db import db
from booking.notifications.models import Message
from tests.bench.load import CLIENTS, Measured, measure

LOCK = "UPDATE events SET lock_count = lock_count + 1 WHERE id = :event_id"
TAKE = "UPDATE events SET taken = taken + 1 WHERE id = :event_id"
TABLES = [model.__tablename__ for model in (Booking, Place, InvitationCount, Message)]
_number = count(1)


def measure_bookings(app: Flask, events: list[int], *, seconds: float) -> Measured:
    """Write the rows of a booking again and again in several threads, each with a connection of its own.

    The database holds a booking of the application's already: each row is a copy of its rows under another name.
    """
    with app.app_context():
        engine = db.engine
        connections = [engine.raw_connection() for _ in range(CLIENTS)]
        try:
            return measure([_Hand(one, engine.dialect.name, events) for one in connections], seconds=seconds)
        finally:
            for connection in connections:
                connection.close()


class _Hand:
    """Books one place after the other on one connection of the driver, with nothing in between."""

    def __init__(self, connection: Any, dialect: str, events: list[int]) -> None:
        self.connection, self.is_sqlite, self.events = connection, dialect == "sqlite", cycle(events)
        self.lock, self.take = self._in_its_style(LOCK), self._in_its_style(TAKE)
        with closing(connection.cursor()) as cursor:
            self.rows = {table: _a_row(cursor, table) for table in TABLES}
        self.inserts = {table: self._in_its_style(_insert(table, row)) for table, row in self.rows.items()}
        connection.commit()

    def _in_its_style(self, sql: str) -> str:
        return sql if self.is_sqlite else re.sub(r":(\w+)", r"%(\1)s", sql)

    def __call__(self) -> str:
        event_id, key = next(self.events), f"hand{next(_number)}"
        email = f"{key}@school.example"
        new = {"event_id": event_id, "email": email, "key": key, "reference": key, "form_key": key}
        new |= {"attendee_key": email, "to_email": email, "message_id": key}
        with closing(self.connection.cursor()) as cursor:
            if self.is_sqlite:
                cursor.execute("BEGIN IMMEDIATE")
            cursor.execute(self.lock, new)
            for table, row in self.rows.items():
                cursor.execute(self.inserts[table], {name: new.get(name, value) for name, value in row.items()})
                if table == Booking.__tablename__:
                    new["booking_id"] = cursor.fetchone()[0]
            cursor.execute(self.take, new)
        self.connection.commit()
        return ""


def _a_row(cursor: Any, table: str) -> dict[str, Any]:
    cursor.execute(f"SELECT * FROM {table} LIMIT 1")
    names = [column[0] for column in cursor.description]
    row = dict(zip(names, cursor.fetchone(), strict=True))
    row.pop("id", None)
    return row


def _insert(table: str, row: dict[str, Any]) -> str:
    sql = f"INSERT INTO {table} ({', '.join(row)}) VALUES ({', '.join(f':{name}' for name in row)})"
    return f"{sql} RETURNING id" if table == Booking.__tablename__ else sql
