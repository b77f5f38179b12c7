"""Limits of schools, who may book, offers, series, and the history of a booking

Revision ID: 0003
Revises: 0002

Columns are added one by one with their checks: SQLite would have to make the tables of events and places anew for
anything else, and what belongs to their rows would be deleted with the old ones.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"
branch_labels = None
depends_on = None

INSTANT = {"sqlite": "DATETIME", "postgresql": "TIMESTAMP WITH TIME ZONE"}
COLUMNS = {
    "venues": [("capacity", "INTEGER", "CONSTRAINT ck_venues_capacity CHECK (capacity > 0)")],
    "events": [
        ("series_id", "INTEGER", "CONSTRAINT fk_events_series_id_series REFERENCES series (id)"),
        ("opens_at", "INSTANT", ""),
        (
            "who_may_book",
            "VARCHAR(20)",
            "DEFAULT 'anyone' NOT NULL CONSTRAINT ck_events_whomaybook "
            "CHECK (who_may_book IN ('anyone', 'audience', 'schools', 'invited'))",
        ),
        ("schools_first_until", "INSTANT", ""),
        (
            "invitation_key",
            "VARCHAR(24)",
            "CONSTRAINT ck_events_invites_by_a_link CHECK (who_may_book <> 'invited' OR invitation_key IS NOT NULL)",
        ),
        ("per_school", "INTEGER", "CONSTRAINT ck_events_per_school CHECK (per_school > 0)"),
        ("per_school_until", "INSTANT", ""),
        (
            "promotion",
            "VARCHAR(20)",
            "DEFAULT 'automatic' NOT NULL CONSTRAINT ck_events_promotion CHECK (promotion IN ('automatic', 'offer'))",
        ),
        (
            "offer_hours",
            "SMALLINT",
            "DEFAULT 48 NOT NULL CONSTRAINT ck_events_offer_hours CHECK (offer_hours BETWEEN 1 AND 336)",
        ),
        ("promotion_paused", "BOOLEAN", "DEFAULT false NOT NULL"),
        ("late_places_go_on", "BOOLEAN", "DEFAULT false NOT NULL"),
        (
            "changes_until_hours",
            "SMALLINT",
            "DEFAULT 0 NOT NULL CONSTRAINT ck_events_changes_until_hours "
            "CHECK (changes_until_hours BETWEEN 0 AND 720)",
        ),
        ("link_in_invitation", "BOOLEAN", "DEFAULT true NOT NULL"),
        ("settle_at", "INSTANT", ""),
    ],
    "bookings": [
        ("audience_id", "INTEGER", "CONSTRAINT fk_bookings_audience_id_audiences REFERENCES audiences (id)"),
        ("revision", "INTEGER", "DEFAULT 1 NOT NULL"),
    ],
    "places": [
        (
            "offered_until",
            "INSTANT",
            "CONSTRAINT ck_places_is_offered_for_a_time CHECK (status <> 'offered' OR offered_until IS NOT NULL)",
        ),
        ("unlisted", "BOOLEAN", "DEFAULT false NOT NULL"),
        ("became_id", "INTEGER", "CONSTRAINT fk_places_became_id_places REFERENCES places (id)"),
    ],
}
INDEXES = [
    ("ix_events_series_id", "events", ["series_id"]),
    ("ix_events_settle_at", "events", ["settle_at"]),
    ("ix_bookings_audience_id", "bookings", ["audience_id"]),
    ("ix_places_became_id", "places", ["became_id"]),
]


def upgrade() -> None:
    """Apply the change."""
    op.create_table(
        "series",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("area_id", sa.Integer(), nullable=False),
        sa.Column("name", sa.String(length=120), nullable=False),
        sa.CheckConstraint("name <> ''", name=op.f("ck_series_named")),
        sa.ForeignKeyConstraint(["area_id"], ["areas.id"], name=op.f("fk_series_area_id_areas")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_series")),
        sa.UniqueConstraint("area_id", "name", name=op.f("uq_series_area_id_name")),
    )
    instant = INSTANT[op.get_bind().dialect.name]
    for table, columns in COLUMNS.items():
        for name, kind, more in columns:
            op.execute(f"ALTER TABLE {table} ADD COLUMN {name} {kind.replace('INSTANT', instant)} {more}")
    for name, table, of_index in INDEXES:
        op.create_index(name, table, of_index)
    op.create_table(
        "school_counts",
        sa.Column("event_id", sa.Integer(), nullable=False),
        sa.Column("school_id", sa.Integer(), nullable=False),
        sa.Column("taken", sa.Integer(), nullable=False),
        sa.Column("extra", sa.Integer(), nullable=False),
        sa.Column("most", sa.Integer(), nullable=False),
        sa.CheckConstraint("taken >= 0 AND taken <= most", name=op.f("ck_school_counts_within_the_limit")),
        sa.ForeignKeyConstraint(["event_id"], ["events.id"], name=op.f("fk_school_counts_event_id_events")),
        sa.ForeignKeyConstraint(["school_id"], ["schools.id"], name=op.f("fk_school_counts_school_id_schools")),
        sa.PrimaryKeyConstraint("event_id", "school_id", name=op.f("pk_school_counts")),
    )
    op.create_index("ix_school_counts_school_id", "school_counts", ["school_id"])
    op.create_table(
        "booking_changes",
        sa.Column("id", sa.Integer(), nullable=False),
        sa.Column("booking_id", sa.Integer(), nullable=False),
        sa.Column("place_id", sa.Integer(), nullable=True),
        sa.Column("revision", sa.Integer(), nullable=False),
        sa.Column("at", sa.DateTime(timezone=True), nullable=False),
        sa.Column("who", sa.String(length=200), nullable=False),
        sa.Column("sentence", sa.String(length=500), nullable=False),
        sa.ForeignKeyConstraint(["booking_id"], ["bookings.id"], name=op.f("fk_booking_changes_booking_id_bookings")),
        sa.ForeignKeyConstraint(["place_id"], ["places.id"], name=op.f("fk_booking_changes_place_id_places")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_booking_changes")),
    )
    op.create_index("ix_booking_changes_booking_id_revision", "booking_changes", ["booking_id", "revision"])
    op.create_index("ix_booking_changes_place_id", "booking_changes", ["place_id"])


def downgrade() -> None:
    """Take the change back. Offers become places on the waiting list again."""
    op.drop_table("booking_changes")
    op.drop_table("school_counts")
    op.execute(
        "UPDATE events SET taken = taken - (SELECT count(*) FROM places "
        "WHERE places.event_id = events.id AND places.status = 'offered')"
    )
    op.execute("UPDATE places SET status = 'waiting' WHERE status = 'offered'")
    for name, table, _ in INDEXES:
        op.drop_index(name, table_name=table)
    for table, columns in COLUMNS.items():
        for name, _, _ in reversed(columns):
            op.execute(f"ALTER TABLE {table} DROP COLUMN {name}")
    op.drop_table("series")
