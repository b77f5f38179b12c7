"""The weekly digest: plans, subscriptions, issues, copies

Revision ID: 0008
Revises: 0007
"""

import sqlalchemy as sa
from alembic import op

revision = '0008'
down_revision = '0007'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table('digest_issues',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('area_id', sa.Integer(), nullable=False),
    sa.Column('week', sa.Date(), nullable=False),
    sa.Column('state', sa.Enum('planned', 'held', 'sent', 'dropped', name='issuestate', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('introduction', sa.Text(), nullable=False),
    sa.Column('sent_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('told_on', sa.Date(), nullable=True),
    sa.Column('told_until', sa.Date(), nullable=True),
    sa.Column('told', sa.JSON(), nullable=False),
    sa.Column('headings', sa.JSON(), nullable=False),
    sa.Column('since_id', sa.Integer(), nullable=True),
    sa.Column('all_posted', sa.Boolean(), nullable=False),
    sa.Column('why_not', sa.String(length=200), nullable=False),
    sa.CheckConstraint("(state = 'sent') = (sent_at IS NOT NULL)", name=op.f('ck_digest_issues_sent')),
    sa.CheckConstraint("(state = 'sent') = (told_on IS NOT NULL)", name=op.f('ck_digest_issues_told')),
    sa.ForeignKeyConstraint(['area_id'], ['areas.id'], name=op.f('fk_digest_issues_area_id_areas')),
    sa.ForeignKeyConstraint(['since_id'], ['digest_issues.id'], name=op.f('fk_digest_issues_since_id_digest_issues')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digest_issues')),
    sa.UniqueConstraint('area_id', 'week', name=op.f('uq_digest_issues_area_id_week'))
    )
    with op.batch_alter_table('digest_issues', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_digest_issues_since_id'), ['since_id'], unique=False)

    op.create_table('digest_plans',
    sa.Column('area_id', sa.Integer(), nullable=False),
    sa.Column('active', sa.Boolean(), nullable=False),
    sa.Column('weekday', sa.SmallInteger(), nullable=False),
    sa.Column('at', sa.Time(), nullable=False),
    sa.Column('weeks', sa.SmallInteger(), nullable=False),
    sa.Column('since', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint('weekday BETWEEN 0 AND 4', name=op.f('ck_digest_plans_weekday')),
    sa.CheckConstraint('weeks BETWEEN 1 AND 8', name=op.f('ck_digest_plans_weeks')),
    sa.ForeignKeyConstraint(['area_id'], ['areas.id'], name=op.f('fk_digest_plans_area_id_areas')),
    sa.PrimaryKeyConstraint('area_id', name=op.f('pk_digest_plans'))
    )
    op.create_table('digest_subscriptions',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('area_id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('key', sa.String(length=24), nullable=False),
    sa.Column('confirm_key', sa.String(length=24), nullable=False),
    sa.Column('asked_at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('mailed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('confirmed_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('ended_at', sa.DateTime(timezone=True), nullable=True),
    sa.CheckConstraint("email <> ''", name=op.f('ck_digest_subscriptions_has_an_address')),
    sa.ForeignKeyConstraint(['area_id'], ['areas.id'], name=op.f('fk_digest_subscriptions_area_id_areas')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digest_subscriptions')),
    sa.UniqueConstraint('area_id', 'email', name=op.f('uq_digest_subscriptions_area_id_email')),
    sa.UniqueConstraint('confirm_key', name=op.f('uq_digest_subscriptions_confirm_key')),
    sa.UniqueConstraint('key', name=op.f('uq_digest_subscriptions_key'))
    )
    op.create_table('digest_audiences',
    sa.Column('subscription_id', sa.Integer(), nullable=False),
    sa.Column('audience_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['audience_id'], ['audiences.id'], name=op.f('fk_digest_audiences_audience_id_audiences')),
    sa.ForeignKeyConstraint(['subscription_id'], ['digest_subscriptions.id'], name=op.f('fk_digest_audiences_subscription_id_digest_subscriptions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('subscription_id', 'audience_id', name=op.f('pk_digest_audiences'))
    )
    with op.batch_alter_table('digest_audiences', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_digest_audiences_audience_id'), ['audience_id'], unique=False)

    op.create_table('digest_categories',
    sa.Column('subscription_id', sa.Integer(), nullable=False),
    sa.Column('category_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['category_id'], ['categories.id'], name=op.f('fk_digest_categories_category_id_categories')),
    sa.ForeignKeyConstraint(['subscription_id'], ['digest_subscriptions.id'], name=op.f('fk_digest_categories_subscription_id_digest_subscriptions'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('subscription_id', 'category_id', name=op.f('pk_digest_categories'))
    )
    with op.batch_alter_table('digest_categories', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_digest_categories_category_id'), ['category_id'], unique=False)

    op.create_table('digest_copies',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('issue_id', sa.Integer(), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('message_id', sa.Integer(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['issue_id'], ['digest_issues.id'], name=op.f('fk_digest_copies_issue_id_digest_issues'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_digest_copies_message_id_messages'), ondelete='SET NULL'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_digest_copies')),
    sa.UniqueConstraint('issue_id', 'email', name=op.f('uq_digest_copies_issue_id_email'))
    )
    with op.batch_alter_table('digest_copies', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_digest_copies_message_id'), ['message_id'], unique=False)

    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.add_column(sa.Column('list_id', sa.String(length=200), nullable=True))



def downgrade() -> None:
    """Undo the change."""
    with op.batch_alter_table('messages', schema=None) as batch_op:
        batch_op.drop_column('list_id')

    with op.batch_alter_table('digest_copies', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_digest_copies_message_id'))

    op.drop_table('digest_copies')
    with op.batch_alter_table('digest_categories', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_digest_categories_category_id'))

    op.drop_table('digest_categories')
    with op.batch_alter_table('digest_audiences', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_digest_audiences_audience_id'))

    op.drop_table('digest_audiences')
    op.drop_table('digest_subscriptions')
    op.drop_table('digest_plans')
    with op.batch_alter_table('digest_issues', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_digest_issues_since_id'))

    op.drop_table('digest_issues')
