"""Long lists by their order: the outbox by what is newest and by address, the log of one event

Revision ID: 0014
Revises: 0013

"""

import sqlalchemy as sa
from alembic import op

revision = "0014"
down_revision = "0013"
branch_labels = None
depends_on = None

BY_BYTES = {"to_email": "varchar_pattern_ops"}


def upgrade() -> None:
    """Apply the change."""
    op.create_index("ix_messages_newest", "messages", ["area_id", "created_at", "id"])
    columns = ["area_id", "to_email", "created_at", "id"]
    op.create_index("ix_messages_newest_to", "messages", columns, postgresql_ops=BY_BYTES)
    for status in ("failed", "dropped"):
        these = sa.text(f"status = '{status}'")
        columns = ["area_id", "created_at", "id"]
        op.create_index(
            f"ix_messages_newest_{status}", "messages", columns, sqlite_where=these, postgresql_where=these
        )
    op.create_index("ix_addresses_put_aside_since", "addresses_put_aside", ["since"])
    op.create_index("ix_audit_entries_of_subject", "audit_entries", ["subject", "subject_id", "id"])
    op.drop_index("ix_messages_area_id_created_at", table_name="messages")
    op.drop_index("ix_audit_entries_subject", table_name="audit_entries")


def downgrade() -> None:
    """Take it back."""
    op.create_index("ix_audit_entries_subject", "audit_entries", ["subject", "subject_id"])
    op.create_index("ix_messages_area_id_created_at", "messages", ["area_id", "created_at"])
    op.drop_index("ix_audit_entries_of_subject", table_name="audit_entries")
    op.drop_index("ix_addresses_put_aside_since", table_name="addresses_put_aside")
    for name in ("newest_dropped", "newest_failed", "newest_to", "newest"):
        op.drop_index(f"ix_messages_{name}", table_name="messages")
