"""Schools invited to events, and who of a school named a contact

Revision ID: 0009
Revises: 0008
"""

import sqlalchemy as sa
from alembic import op

revision = '0009'
down_revision = "0008"
branch_labels = None
depends_on = None


def upgrade() -> None:
    """Apply the change."""
    with op.batch_alter_table('school_contacts', schema=None) as batch_op:
        batch_op.add_column(sa.Column('named_by', sa.String(length=120), server_default='', nullable=False))

    op.create_table('invited_schools',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('school_id', sa.Integer(), nullable=False),
    sa.Column('said_no_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('said_no_by', sa.String(length=200), nullable=False),
    sa.Column('reason', sa.String(length=200), nullable=False),
    sa.Column('withdrawn_at', sa.DateTime(timezone=True), nullable=True),
    sa.Column('created_at', sa.DateTime(timezone=True), nullable=False),
    sa.CheckConstraint("said_no_at IS NOT NULL OR reason = ''", name=op.f('ck_invited_schools_reason_of_a_no')),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_invited_schools_event_id_events'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['school_id'], ['schools.id'], name=op.f('fk_invited_schools_school_id_schools')),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invited_schools')),
    sa.UniqueConstraint('event_id', 'school_id', name=op.f('uq_invited_schools_event_id_school_id'))
    )
    with op.batch_alter_table('invited_schools', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invited_schools_school_id'), ['school_id'], unique=False)

    op.create_table('invited_roles',
    sa.Column('invited_id', sa.Integer(), nullable=False),
    sa.Column('role', sa.Enum('senco', 'headteacher', 'mental health', 'attendance', 'office', name='contactrole', native_enum=False, create_constraint=True, length=20), nullable=False),
    sa.ForeignKeyConstraint(['invited_id'], ['invited_schools.id'], name=op.f('fk_invited_roles_invited_id_invited_schools'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('invited_id', 'role', name=op.f('pk_invited_roles'))
    )
    op.create_table('invitations',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('invited_id', sa.Integer(), nullable=False),
    sa.Column('contact_id', sa.Integer(), nullable=False),
    sa.Column('key', sa.String(length=24), nullable=False),
    sa.ForeignKeyConstraint(['contact_id'], ['school_contacts.id'], name=op.f('fk_invitations_contact_id_school_contacts'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['invited_id'], ['invited_schools.id'], name=op.f('fk_invitations_invited_id_invited_schools'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitations')),
    sa.UniqueConstraint('invited_id', 'contact_id', name=op.f('uq_invitations_invited_id_contact_id')),
    sa.UniqueConstraint('key', name=op.f('uq_invitations_key'))
    )
    with op.batch_alter_table('invitations', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invitations_contact_id'), ['contact_id'], unique=False)

    op.create_table('invitation_rounds',
    sa.Column('id', sa.Integer(), nullable=False),
    sa.Column('event_id', sa.Integer(), nullable=False),
    sa.Column('form_key', sa.String(length=64), nullable=False),
    sa.Column('subject', sa.String(length=150), nullable=False),
    sa.Column('text', sa.Text(), nullable=False),
    sa.Column('at', sa.DateTime(timezone=True), nullable=False),
    sa.ForeignKeyConstraint(['event_id'], ['events.id'], name=op.f('fk_invitation_rounds_event_id_events'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('id', name=op.f('pk_invitation_rounds')),
    sa.UniqueConstraint('event_id', 'form_key', name=op.f('uq_invitation_rounds_event_id_form_key'))
    )
    op.create_table('invitation_letters',
    sa.Column('round_id', sa.Integer(), nullable=False),
    sa.Column('invitation_id', sa.Integer(), nullable=False),
    sa.Column('message_id', sa.Integer(), nullable=True),
    sa.ForeignKeyConstraint(['invitation_id'], ['invitations.id'], name=op.f('fk_invitation_letters_invitation_id_invitations'), ondelete='CASCADE'),
    sa.ForeignKeyConstraint(['message_id'], ['messages.id'], name=op.f('fk_invitation_letters_message_id_messages'), ondelete='SET NULL'),
    sa.ForeignKeyConstraint(['round_id'], ['invitation_rounds.id'], name=op.f('fk_invitation_letters_round_id_invitation_rounds'), ondelete='CASCADE'),
    sa.PrimaryKeyConstraint('round_id', 'invitation_id', name=op.f('pk_invitation_letters')),
    sa.UniqueConstraint('message_id', name=op.f('uq_invitation_letters_message_id'))
    )
    with op.batch_alter_table('invitation_letters', schema=None) as batch_op:
        batch_op.create_index(batch_op.f('ix_invitation_letters_invitation_id'), ['invitation_id'], unique=False)


def downgrade() -> None:
    """Undo the change."""
    with op.batch_alter_table('invitation_letters', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invitation_letters_invitation_id'))

    op.drop_table('invitation_letters')
    op.drop_table('invitation_rounds')
    with op.batch_alter_table('invitations', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invitations_contact_id'))

    op.drop_table('invitations')
    op.drop_table('invited_roles')
    with op.batch_alter_table('invited_schools', schema=None) as batch_op:
        batch_op.drop_index(batch_op.f('ix_invited_schools_school_id'))

    op.drop_table('invited_schools')
    with op.batch_alter_table('school_contacts', schema=None) as batch_op:
        batch_op.drop_column('named_by')
