"""Which return a mail chases; an index that SQLite uses

Revision ID: 0007
Revises: 0006
"""

import sqlalchemy as sa
from alembic import op

revision = "0007"
down_revision = "0006"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "chases",
        sa.Column("message_id", sa.Integer(), nullable=False),
        sa.Column("return_id", sa.Integer(), nullable=False),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_chases_message_id_messages")),
        sa.ForeignKeyConstraint(
            ["return_id"], ["returns.id"], name=op.f("fk_chases_return_id_returns"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("message_id", name=op.f("pk_chases")),
    )
    op.create_index(op.f("ix_chases_return_id"), "chases", ["return_id"])
    _index_those_with_a_body("has_body = 1")


def downgrade() -> None:
    """Take it back."""
    _index_those_with_a_body("has_body")
    op.drop_table("chases")


def _index_those_with_a_body(condition: str) -> None:
    """Index them on SQLite by a condition: it is asked for `has_body = 1`, and sees no index of `has_body` in that."""
    if op.get_bind().dialect.name == "sqlite":
        op.drop_index("ix_messages_with_body", table_name="messages")
        op.create_index("ix_messages_with_body", "messages", ["created_at"], sqlite_where=sa.text(condition))
