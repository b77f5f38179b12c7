"""Each school has a feed of its own

Revision ID: 0010
Revises: 0009
"""

import secrets

import sqlalchemy as sa
from alembic import op

revision = '0010'
down_revision = "0009"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table('schools', schema=None) as batch_op:
        batch_op.add_column(sa.Column('feed_key', sa.String(length=24), nullable=True))
    schools = sa.table('schools', sa.column('id', sa.Integer), sa.column('feed_key', sa.String))
    connection = op.get_bind()
    for school_id in connection.scalars(sa.select(schools.c.id)).all():
        key = secrets.token_urlsafe(12)
        connection.execute(sa.update(schools).where(schools.c.id == school_id).values(feed_key=key))
    with op.batch_alter_table('schools', schema=None) as batch_op:
        batch_op.alter_column('feed_key', existing_type=sa.String(length=24), nullable=False)
        batch_op.create_unique_constraint(batch_op.f('uq_schools_feed_key'), ['feed_key'])


def downgrade() -> None:
    """Take it back."""
    with op.batch_alter_table('schools', schema=None) as batch_op:
        batch_op.drop_constraint(batch_op.f('uq_schools_feed_key'), type_='unique')
        batch_op.drop_column('feed_key')
