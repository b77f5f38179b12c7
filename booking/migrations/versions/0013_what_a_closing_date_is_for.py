"""A closing date may be for an event: a panel looks at what was sent by then

Revision ID: 0013
Revises: 0012

The column is added with its check, as in 0003: to make the table of events anew would delete what belongs to them.
"""

from alembic import op

revision = "0013"
down_revision = "0012"
branch_labels = None
depends_on = None

FOR_AN_EVENT = (
    "CONSTRAINT ck_events_only_deadlines_close"
    " CHECK (closes_for_id IS NULL OR (kind = 'deadline' AND closes_for_id <> id))"
    " CONSTRAINT fk_events_closes_for_id_events REFERENCES events (id)"
)


def upgrade() -> None:
    """Apply the change."""
    op.execute(f"ALTER TABLE events ADD COLUMN closes_for_id INTEGER {FOR_AN_EVENT}")
    op.create_index("ix_events_closes_for_id", "events", ["closes_for_id"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_events_closes_for_id", table_name="events")
    op.execute("ALTER TABLE events DROP COLUMN closes_for_id")
