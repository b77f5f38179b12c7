"""What is counted of one event, and what waits in one area, is read from an index alone

Revision ID: 0017
Revises: 0016

"""

import sqlalchemy as sa
from alembic import op

revision = "0017"
down_revision = "0016"
branch_labels = None
depends_on = None

LIVE, HAS_NEEDS = sa.text("status IN ('queued', 'claimed')"), sa.text("needs <> ''")


def upgrade() -> None:
    """Apply the change."""
    columns = ["area_id", "created_at", "id"]
    op.create_index("ix_messages_newest_live", "messages", columns, sqlite_where=LIVE, postgresql_where=LIVE)
    op.create_index(
        "ix_bookings_with_needs", "bookings", ["event_id"], sqlite_where=HAS_NEEDS, postgresql_where=HAS_NEEDS
    )
    op.create_index("ix_places_event_id_school_id_status", "places", ["event_id", "school_id", "status"])


def downgrade() -> None:
    """Take it back."""
    op.drop_index("ix_places_event_id_school_id_status", table_name="places")
    op.drop_index("ix_bookings_with_needs", table_name="bookings")
    op.drop_index("ix_messages_newest_live", table_name="messages")
