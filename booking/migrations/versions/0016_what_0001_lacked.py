"""Databases made before 24 November 2026 lack two columns: 0001 was edited after it had been committed

Revision ID: 0016
Revises: 0015

Whatever is there already stays as it is.
"""

from datetime import UTC, datetime

import sqlalchemy as sa
from alembic import op

revision = "0016"
down_revision = "0015"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    inspector = sa.inspect(op.get_bind())
    if not _has(inspector, "messages", "useless_after"):
        op.add_column("messages", sa.Column("useless_after", sa.DateTime(timezone=True), nullable=True))
    if not _has(inspector, "areas", "calendar_changed_at"):
        op.add_column("areas", sa.Column("calendar_changed_at", sa.DateTime(timezone=True), nullable=True))
        areas = sa.table("areas", sa.column("calendar_changed_at", sa.DateTime(timezone=True)))
        op.execute(areas.update().values(calendar_changed_at=datetime.now(UTC)))
        with op.batch_alter_table("areas") as batch:
            batch.alter_column("calendar_changed_at", existing_type=sa.DateTime(timezone=True), nullable=False)


def _has(inspector: sa.Inspector, table: str, column: str) -> bool:
    return column in {one["name"] for one in inspector.get_columns(table)}


def downgrade() -> None:
    """Leave it: a database made today has had them from the beginning."""
