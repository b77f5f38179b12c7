"""The life of a message: its last try, how to unsubscribe, addresses put aside, bodies that are not kept for ever

Revision ID: 0005
Revises: 0004

Columns are added one by one: making the table of messages anew would delete what refers to its rows.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"
branch_labels = None
depends_on = None

INSTANT = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP WITH TIME ZONE"}


def upgrade() -> None:
    """Apply the change."""
    instant = INSTANT[op.get_bind().dialect.name]
    op.execute(f"ALTER TABLE messages ADD COLUMN tried_at {instant}")
    op.execute("ALTER TABLE messages ADD COLUMN unsubscribe VARCHAR(300)")
    op.execute("ALTER TABLE messages ADD COLUMN has_body BOOLEAN DEFAULT true NOT NULL")
    op.create_index(
        "ix_messages_with_body",
        "messages",
        ["created_at"],
        sqlite_where=sa.text("has_body"),
        postgresql_where=sa.text("has_body"),
    )
    op.create_index("ix_messages_tried_at", "messages", ["tried_at"])
    op.execute("UPDATE messages SET tried_at = coalesce(sent_at, created_at) WHERE tries > 0")
    op.create_table(
        "addresses_put_aside",
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("since", sa.DateTime(timezone=True), nullable=False),
        sa.Column("reason", sa.String(length=300), nullable=False),
        sa.PrimaryKeyConstraint("email", name=op.f("pk_addresses_put_aside")),
    )


def downgrade() -> None:
    """Take the change back."""
    op.drop_table("addresses_put_aside")
    op.drop_index("ix_messages_tried_at", table_name="messages")
    op.drop_index("ix_messages_with_body", table_name="messages")
    for name in ("has_body", "unsubscribe", "tried_at"):
        op.execute(f"ALTER TABLE messages DROP COLUMN {name}")
