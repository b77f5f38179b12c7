"""`/metrics`: figures for whoever watches the installation, in Prometheus text format. Nobody's data is among them."""

from collections.abc import Iterator

from flask import Blueprint
from flask.typing import ResponseReturnValue
from prometheus_client import CONTENT_TYPE_LATEST, CollectorRegistry, generate_latest
from prometheus_client.core import GaugeMetricFamily
from prometheus_client.registry import Collector

from booking.core.clock import now
from booking.core.heartbeat import HEARTBEAT, MOST_BEHIND, last_beat
from booking.core.web import plain_http
from booking.directory.guards import this_machine
from booking.notifications.queries import live_counts, oldest_due
from booking.reminders.actions import events_due

bp = Blueprint("metrics", __name__)


class _Figures(Collector):
    """Read when asked: each process tells the same, as all of it stands in the database."""

    def collect(self) -> Iterator[GaugeMetricFamily]:
        """Yield each figure."""
        beat, oldest = last_beat(HEARTBEAT), oldest_due(now())
        if beat is not None:
            seconds = (now() - beat).total_seconds()
            yield GaugeMetricFamily("booking_scheduler_heartbeat_age_seconds", "Since a scheduler last ran.", seconds)
        messages = GaugeMetricFamily("booking_messages", "Messages that are not done with.", labels=["status"])
        for status, count in live_counts().items():
            messages.add_metric([status.value], count)
        yield messages
        age = (now() - oldest).total_seconds() if oldest else 0
        yield GaugeMetricFamily("booking_oldest_due_message_age_seconds", "Since the oldest message could go.", age)
        late = len(events_due(now() - MOST_BEHIND))
        yield GaugeMetricFamily(
            "booking_events_with_late_reminders", "Reminders due for ten minutes, not queued.", late
        )


@bp.get("/metrics")
@this_machine
@plain_http
def metrics() -> ResponseReturnValue:
    """Give the figures, to this machine alone."""
    registry = CollectorRegistry(auto_describe=False)
    registry.register(_Figures())
    return generate_latest(registry), {"Content-Type": CONTENT_TYPE_LATEST, "Cache-Control": "no-store"}
