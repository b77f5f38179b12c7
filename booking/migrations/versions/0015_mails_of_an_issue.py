"""How many mails were made of an issue of the weekly mail, kept with it

Revision ID: 0015
Revises: 0014

"""

import sqlalchemy as sa
from alembic import op

revision = "0015"
down_revision = "0014"
branch_labels = None
depends_on = None

COUNT_WHAT_WENT = """
    UPDATE digest_issues SET mails = (
        SELECT count(*) FROM digest_copies
        WHERE digest_copies.issue_id = digest_issues.id AND digest_copies.message_id IS NOT NULL
    )
"""


def upgrade() -> None:
    """Apply the change."""
    op.add_column("digest_issues", sa.Column("mails", sa.Integer(), server_default="0", nullable=False))
    op.execute(COUNT_WHAT_WENT)


def downgrade() -> None:
    """Take it back."""
    op.drop_column("digest_issues", "mails")
