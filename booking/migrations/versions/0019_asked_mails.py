"""Mail that public acts cause is counted, by recipient and by origin

Revision ID: 0019
Revises: 0018

"""

import sqlalchemy as sa
from alembic import op

revision = "0019"
down_revision = "0018"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "asked_mails",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("recipient", sa.String(length=64), nullable=False),
        sa.Column("origin", sa.String(length=64), nullable=True),
        sa.Column(
            "scope",
            sa.Enum("public", "private", "sign-in", name="mailscope", native_enum=False, length=20, create_constraint=True),
            nullable=False,
        ),
        sa.Column("asked_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_asked_mails")),
    )
    op.create_index("ix_asked_mails_recipient", "asked_mails", ["recipient", "asked_at"])
    op.create_index("ix_asked_mails_origin", "asked_mails", ["origin", "asked_at"])
    op.create_index("ix_asked_mails_asked_at", "asked_mails", ["asked_at"])


def downgrade() -> None:
    """Take it back."""
    op.drop_table("asked_mails")
