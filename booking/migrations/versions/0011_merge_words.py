"""Merge words of reminders as those of messages: [name] instead of {name}

Revision ID: 0011
Revises: 0010
"""

import re

import sqlalchemy as sa
from alembic import op

revision = "0011"
down_revision = "0010"
branch_labels = None
depends_on = None

NEW = {"title": "event", "place": "where", "when": "left"}
OLD = {new: old for old, new in NEW.items()}
RULES = sa.table("reminder_rules", sa.column("id"), sa.column("subject"), sa.column("text"))


def upgrade() -> None:
    """Write the words as they are written now."""
    _rewrite(r"\{ *([a-z]+) *\}", lambda found: f"[{NEW.get(found[1].lower(), found[1])}]")


def downgrade() -> None:
    """Write them as before."""
    _rewrite(r"\[ *([a-z]+) *\]", lambda found: f"{{{OLD.get(found[1].lower(), found[1])}}}")


def _rewrite(pattern: str, other) -> None:
    words, connection = re.compile(pattern, re.IGNORECASE), op.get_bind()
    for row in connection.execute(sa.select(RULES).where(RULES.c.text != "")).all():
        said = {"subject": words.sub(other, row.subject), "text": words.sub(other, row.text)}
        connection.execute(sa.update(RULES).where(RULES.c.id == row.id).values(**said))
