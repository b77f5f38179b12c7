"""Contacts and groups of schools, and what closing dates ask of them

Revision ID: 0006
Revises: 0005
"""

import sqlalchemy as sa
from alembic import op

revision = '0006'
down_revision = '0005'
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    op.create_table('school_groups',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('area_id', sa.Integer(), nullable=False),
    sa.Column('name', sa.String(length=80), nullable=False),
    sa.CheckConstraint("name <> ''", name=op.f('ck_school_groups_named')),
    sa.ForeignKeyConstraint(['area_id'], ['areas.id'], name=op.f('fk_school_groups_area_id_areas')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school_groups')),
    sa.UniqueConstraint('area_id', 'name', name=op.f('uq_school_groups_area_id_name'))
    )
    op.create_table('school_contacts',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('school_id', sa.Integer(), nullable=False),
    sa.Column('role', sa.Enum('senco', 'headteacher', 'mental health', 'attendance', 'office', name='contactrole', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('name', sa.String(length=120), nullable=False),
    sa.Column('email', sa.String(length=254), nullable=False),
    sa.Column('starts_on', sa.Date(), nullable=False),
    sa.Column('ends_on', sa.Date(), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("email <> ''", name=op.f('ck_school_contacts_has_an_address')),
    sa.CheckConstraint('ends_on IS NULL OR ends_on >= starts_on', name=op.f('ck_school_contacts_days_in_order')),
    sa.ForeignKeyConstraint(['school_id'], ['schools.id'], name=op.f('fk_school_contacts_school_id_schools')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_school_contacts')),
    sa.UniqueConstraint('school_id', 'role', 'email', 'starts_on', name=op.f('uq_school_contacts_school_id_role_email_starts_on'))
    )
    with op.batch_alter_table('school_contacts', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_school_contacts_email'), ['email'], unique=False)

    op.create_table('school_group_members',
    sa.Column('group_id', sa.Integer(), nullable=False),
    sa.Column('school_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['group_id'], ['school_groups.id'], name=op.f('fk_school_group_members_group_id_school_groups'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['school_id'], ['schools.id'], name=op.f('fk_school_group_members_school_id_schools')),
    sa.PrimaryKeyConstraint('group_id', 'school_id', name=op.f('pk_school_group_members'))
    )
    with op.batch_alter_table('school_group_members', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_school_group_members_school_id'), ['school_id'], unique=False)

    op.create_table('silences',
    sa.Column('school_id', sa.Integer(), nullable=False),
    sa.Column('category_id', sa.Integer(), nullable=False),
    sa.Column('year', sa.SmallInteger(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.Column('by', sa.String(length=200), nullable=False),
    sa.ForeignKeyConstraint(['category_id'], ['categories.id'], name=op.f('fk_silences_category_id_categories')),
    sa.ForeignKeyConstraint(['school_id'], ['schools.id'], name=op.f('fk_silences_school_id_schools')),
    sa.PrimaryKeyConstraint('school_id', 'category_id', 'year', name=op.f('pk_silences'))
    )
    with op.batch_alter_table('silences', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_silences_category_id'), ['category_id'], unique=False)

    op.create_table('asks',
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('answer', sa.Enum('required', 'optional', 'none', name='answer', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('link', sa.String(length=500), nullable=False),
    sa.Column('goes_to', sa.String(length=200), nullable=False),
    sa.Column('role', sa.Enum('senco', 'headteacher', 'mental health', 'attendance', 'office', name='contactrole', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('owed_by', sa.Enum('all', 'phases', 'groups', 'chosen', name='owedby', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_asks_event_id_events'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('event_id', name=op.f('pk_asks'))
    )
    op.create_table('returns',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('school_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=24), nullable=False),
    sa.Column('status', sa.Enum('outstanding', 'submitted', 'nothing', 'excused', name='returnstatus', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.Column('number', sa.Integer(), nullable=True),
    sa.Column('answered_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('answered_by', sa.String(length=200), nullable=False),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("(status = 'outstanding') = (answered_at IS NULL)", name=op.f('ck_returns_answered')),
    sa.CheckConstraint("number IS NULL OR status = 'submitted'", name=op.f('ck_returns_number_of_what_was_submitted')),
    sa.CheckConstraint('number > 0', name=op.f('ck_returns_number')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_returns_event_id_events'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['school_id'], ['schools.id'], name=op.f('fk_returns_school_id_schools')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_returns')),
    sa.UniqueConstraint('event_id', 'school_id', name=op.f('uq_returns_event_id_school_id')),
    sa.UniqueConstraint('key', name=op.f('uq_returns_key'))
    )
    with op.batch_alter_table('returns', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_returns_school_id'), ['school_id'], unique=False)

    op.create_table('ask_groups',
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('group_id', sa.Integer(), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['asks.event_id'], name=op.f('fk_ask_groups_event_id_asks'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['group_id'], ['school_groups.id'], name=op.f('fk_ask_groups_group_id_school_groups')),
    sa.PrimaryKeyConstraint('event_id', 'group_id', name=op.f('pk_ask_groups'))
    )
    with op.batch_alter_table('ask_groups', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_ask_groups_group_id'), ['group_id'], unique=False)

    op.create_table('ask_phases',
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('phase', sa.Enum('nursery', 'primary', 'secondary', 'all-through', 'special', 'alternative', '16 plus', 'other', name='phase', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['asks.event_id'], name=op.f('fk_ask_phases_event_id_asks'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('event_id', 'phase', name=op.f('pk_ask_phases'))
    )


def downgrade() -> None:
    """Undo the change."""
    op.drop_table('ask_phases')
    with op.batch_alter_table('ask_groups', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_ask_groups_group_id'))

    op.drop_table('ask_groups')
    with op.batch_alter_table('returns', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_returns_school_id'))

    op.drop_table('returns')
    op.drop_table('asks')
    with op.batch_alter_table('silences', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_silences_category_id'))

    op.drop_table('silences')
    with op.batch_alter_table('school_group_members', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_school_group_members_school_id'))

    op.drop_table('school_group_members')
    with op.batch_alter_table('school_contacts', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_school_contacts_email'))

    op.drop_table('school_contacts')
    op.drop_table('school_groups')
