"""Reminders to others than those with a place, in own words, within kind hours

Revision ID: 0004
Revises: 0003

The tables of rules and reminders are made anew, with what they held: their constraints have changed, and nothing but
they themselves refers to them.
"""

import sqlalchemy as sa
from alembic import op

revision = "0004"
down_revision = "0003"
branch_labels = None
depends_on = None

INSTANT = sa.DateTime(timezone=True)
TO = ("places", "waiting", "subscribers", "hosts", "organisers", "schools", "headteachers")
UNITS = ("minutes", "hours", "days", "school days", "weeks")


def upgrade() -> None:
    """Apply the change."""
    op.execute("ALTER TABLE areas ADD COLUMN kind_from TIME DEFAULT '07:00:00.000000' NOT NULL")
    op.execute(
        "ALTER TABLE areas ADD COLUMN kind_until TIME DEFAULT '18:30:00.000000' NOT NULL "
        "CONSTRAINT ck_areas_kind_hours CHECK (kind_from < kind_until)"
    )
    op.create_table(
        "event_hosts",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("email", sa.String(length=254), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.Column("position", sa.SmallInteger(), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.CheckConstraint("email <> ''", name=op.f("ck_event_hosts_has_an_address")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_event_hosts_event_id_events"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("event_id", "email", name=op.f("pk_event_hosts")),
    )
    op.create_table(
        "category_subscriptions",
        sa.Column("person_id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=False),
        sa.Column("key", sa.String(length=24), nullable=False),
        sa.Column("since", INSTANT, nullable=False),
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_category_subscriptions_category_id_categories")
        ),
        sa.ForeignKeyConstraint(
            ["person_id"], ["people.id"], name=op.f("fk_category_subscriptions_person_id_people"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("person_id", "category_id", name=op.f("pk_category_subscriptions")),
        sa.UniqueConstraint("key", name=op.f("uq_category_subscriptions_key")),
    )
    op.create_index("ix_category_subscriptions_category_id", "category_subscriptions", ["category_id"])
    op.create_table(
        "reminder_pauses",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=True),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column("since", INSTANT, nullable=False),
        sa.CheckConstraint("area_id IS NULL OR event_id IS NULL", name=op.f("ck_reminder_pauses_one_scope")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_reminder_pauses_area_id_areas")),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_reminder_pauses_event_id_events"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_pauses")),
    )
    op.create_index("ix_reminder_pauses_area_id", "reminder_pauses", ["area_id"])
    op.create_index("ix_reminder_pauses_event_id", "reminder_pauses", ["event_id"])

    _put_aside()
    op.create_table(
        "reminder_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=True),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column("to", _choice(TO, "to"), nullable=False),
        sa.Column("after", sa.Boolean(), nullable=False),
        sa.Column("number", sa.SmallInteger(), nullable=False),
        sa.Column("unit", _choice(UNITS, "unit"), nullable=False),
        sa.Column("at", sa.Time(), nullable=True),
        sa.Column("subject", sa.String(length=200), nullable=False),
        sa.Column("text", sa.Text(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("active_since", INSTANT, nullable=False),
        sa.CheckConstraint("(category_id IS NULL) <> (event_id IS NULL)", name=op.f("ck_reminder_rules_one_owner")),
        sa.CheckConstraint("number BETWEEN 0 AND 999", name=op.f("ck_reminder_rules_number")),
        sa.CheckConstraint(
            "(unit IN ('minutes', 'hours')) = (at IS NULL)", name=op.f("ck_reminder_rules_to_the_minute_or_at_a_time")
        ),
        sa.CheckConstraint("(subject = '') = (text = '')", name=op.f("ck_reminder_rules_own_words")),
        *_owners(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_rules")),
    )
    op.create_index("ix_reminder_rules_category_id", "reminder_rules", ["category_id"])
    op.create_index("ix_reminder_rules_event_id", "reminder_rules", ["event_id"])
    op.create_table(
        "reminders",
        *_reminder_columns(sa.Column("extra", sa.Boolean(), nullable=False)),
        *_reminder_constraints(("rule_id", "event_id", "day", "extra", "recipient"), ondelete="CASCADE"),
    )
    op.create_table(
        "reminder_runs",
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        sa.Column("extra", sa.Boolean(), nullable=False),
        sa.Column("fell_due", INSTANT, nullable=False),
        sa.Column("at", INSTANT, nullable=False),
        sa.Column("why_not", sa.String(length=100), nullable=False),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_reminder_runs_event_id_events"), ondelete="CASCADE"
        ),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["reminder_rules.id"], name=op.f("fk_reminder_runs_rule_id_reminder_rules"), ondelete="CASCADE"
        ),
        sa.PrimaryKeyConstraint("rule_id", "event_id", "day", "extra", name=op.f("pk_reminder_runs")),
    )
    op.create_index("ix_reminder_runs_event_id", "reminder_runs", ["event_id"])
    op.execute(
        'INSERT INTO reminder_rules (id, category_id, event_id, "to", after, number, unit, at, subject, text, active, '
        "active_since) SELECT id, category_id, event_id, 'places', false, days_before, 'days', at, '', '', active, "
        "active_since FROM moved_rules"
    )
    op.execute(
        "INSERT INTO reminders (id, rule_id, event_id, day, extra, recipient, place_id, message_id, created_at) "
        "SELECT id, rule_id, event_id, day, false, recipient, place_id, message_id, created_at FROM moved_reminders"
    )
    op.execute(
        "INSERT INTO reminder_runs (rule_id, event_id, day, extra, fell_due, at, why_not) "
        "SELECT rule_id, event_id, day, false, min(created_at), min(created_at), '' FROM reminders "
        "GROUP BY rule_id, event_id, day"
    )
    _make_reminder_indexes()
    _forget_what_was_put_aside()


def downgrade() -> None:
    """Take the change back. Rules of kinds that were not known are given up."""
    op.drop_table("reminder_runs")
    op.execute("DELETE FROM reminders WHERE extra")
    op.execute(
        "DELETE FROM reminder_rules WHERE \"to\" <> 'places' OR after OR unit <> 'days' OR number > 60 OR id NOT IN "
        '(SELECT min(id) FROM reminder_rules GROUP BY category_id, event_id, number, unit, at, "to", after)'
    )
    op.execute("DELETE FROM reminders WHERE rule_id NOT IN (SELECT id FROM reminder_rules)")
    _put_aside()
    op.create_table(
        "reminder_rules",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("category_id", sa.Integer(), nullable=True),
        sa.Column("event_id", sa.Integer(), nullable=True),
        sa.Column("days_before", sa.SmallInteger(), nullable=False),
        sa.Column("at", sa.Time(), nullable=False),
        sa.Column("active", sa.Boolean(), nullable=False),
        sa.Column("active_since", INSTANT, nullable=False),
        sa.CheckConstraint("(category_id IS NULL) <> (event_id IS NULL)", name=op.f("ck_reminder_rules_one_owner")),
        sa.CheckConstraint("days_before BETWEEN 0 AND 60", name=op.f("ck_reminder_rules_days_before")),
        *_owners(),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminder_rules")),
        sa.UniqueConstraint(
            "category_id", "days_before", "at", name=op.f("uq_reminder_rules_category_id_days_before_at")
        ),
        sa.UniqueConstraint("event_id", "days_before", "at", name=op.f("uq_reminder_rules_event_id_days_before_at")),
    )
    op.create_table(
        "reminders", *_reminder_columns(), *_reminder_constraints(("rule_id", "event_id", "day", "recipient"))
    )
    op.execute(
        "INSERT INTO reminder_rules (id, category_id, event_id, days_before, at, active, active_since) "
        "SELECT id, category_id, event_id, number, at, active, active_since FROM moved_rules"
    )
    op.execute(
        "INSERT INTO reminders (id, rule_id, event_id, day, recipient, place_id, message_id, created_at) "
        "SELECT id, rule_id, event_id, day, recipient, place_id, message_id, created_at FROM moved_reminders"
    )
    _make_reminder_indexes()
    _forget_what_was_put_aside()
    op.drop_table("reminder_pauses")
    op.drop_table("category_subscriptions")
    op.drop_table("event_hosts")
    op.drop_column("areas", "kind_until")
    op.drop_column("areas", "kind_from")


def _put_aside() -> None:
    op.execute("CREATE TABLE moved_rules AS SELECT * FROM reminder_rules")
    op.execute("CREATE TABLE moved_reminders AS SELECT * FROM reminders")
    op.drop_table("reminders")
    op.drop_table("reminder_rules")


def _forget_what_was_put_aside() -> None:
    op.drop_table("moved_reminders")
    op.drop_table("moved_rules")
    if op.get_bind().dialect.name == "postgresql":  # ids were given by us: the next one comes after them
        for table in ("reminder_rules", "reminders"):
            op.execute(
                f"SELECT setval(pg_get_serial_sequence('{table}', 'id'), (SELECT coalesce(max(id), 0) + 1 FROM {table}), "
                "false)"
            )


def _choice(words: tuple[str, ...], name: str) -> sa.Enum:
    return sa.Enum(*words, name=name, native_enum=False, create_constraint=True, length=20)


def _owners() -> list[sa.ForeignKeyConstraint]:
    return [
        sa.ForeignKeyConstraint(
            ["category_id"], ["categories.id"], name=op.f("fk_reminder_rules_category_id_categories")
        ),
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_reminder_rules_event_id_events"), ondelete="CASCADE"
        ),
    ]


def _reminder_columns(*more: sa.Column[bool]) -> list[sa.Column]:
    return [
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("rule_id", sa.Integer(), nullable=False),
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("day", sa.Date(), nullable=False),
        *more,
        sa.Column("recipient", sa.String(length=400), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("message_id", sa.Integer(), nullable=True),
        sa.Column("created_at", INSTANT, nullable=False),
    ]


def _reminder_constraints(unique: tuple[str, ...], ondelete: str | None = None) -> list[sa.Constraint]:
    return [
        sa.ForeignKeyConstraint(
            ["event_id"], ["events.id"], name=op.f("fk_reminders_event_id_events"), ondelete=ondelete
        ),
        sa.ForeignKeyConstraint(["message_id"], ["messages.id"], name=op.f("fk_reminders_message_id_messages")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_reminders_place_id_places")),
        sa.ForeignKeyConstraint(
            ["rule_id"], ["reminder_rules.id"], name=op.f("fk_reminders_rule_id_reminder_rules"), ondelete=ondelete
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reminders")),
        sa.UniqueConstraint(*unique, name=op.f(f"uq_reminders_{'_'.join(unique)}")),
    ]


def _make_reminder_indexes() -> None:
    for column in ("event_id", "message_id", "place_id"):
        op.create_index(f"ix_reminders_{column}", "reminders", [column])
