"""Venues have a place on the map

Revision ID: 0012
Revises: 0011

Columns are added one by one, with the check, as in 0003: whoever goes back takes them away one by one too.
"""

from alembic import op

revision = "0012"
down_revision = "0011"
branch_labels = None
depends_on = None

DOUBLE = {"sqlite": "DOUBLE", "postgresql": "DOUBLE PRECISION"}
BOTH_OR_NEITHER = (
    "CONSTRAINT ck_venues_position CHECK ((latitude IS NULL) = (longitude IS NULL) AND (latitude IS NULL"
    " OR (latitude BETWEEN -90 AND 90 AND longitude BETWEEN -180 AND 180 AND NOT is_online)))"
)


def upgrade() -> None:
    """Apply the change."""
    double = DOUBLE[op.get_bind().dialect.name]
    op.execute(f"ALTER TABLE venues ADD COLUMN latitude {double}")
    op.execute(f"ALTER TABLE venues ADD COLUMN longitude {double} {BOTH_OR_NEITHER}")


def downgrade() -> None:
    """Take it back."""
    op.execute("ALTER TABLE venues DROP COLUMN longitude")
    op.execute("ALTER TABLE venues DROP COLUMN latitude")
