"""What says itself who sees it does not follow its kind of event

Revision ID: 0002
Revises: 0001
"""

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.add_column("events", sa.Column("own_visibility", sa.Boolean(), server_default=sa.false(), nullable=False))
    # Nobody knows any more what was said: what was made by hand, or differs from its kind, was meant so.
    op.execute(
        "UPDATE events SET own_visibility = true WHERE import_key IS NULL OR visibility <> "
        "(SELECT categories.visibility FROM categories WHERE categories.id = events.category_id)"
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_column("events", "own_visibility")
