"""libical, by its GObject bindings: what Evolution, GNOME Calendar and KOrganizer read calendars with."""

import json
import sys
from datetime import UTC, datetime
from pathlib import Path

import gi

gi.require_version("ICalGLib", "3.0")
from gi.repository import ICalGLib  # noqa: E402  the version is chosen first

root = ICalGLib.Component.new_from_string(Path(sys.argv[1]).read_text(encoding="utf-8"))


def when(event, kind, time):
    """Return a day, or an instant by the zone that the feed brings along."""
    if time.is_date():
        return f"{time.get_year():04}-{time.get_month():02}-{time.get_day():02}"
    zone_id = event.get_first_property(kind).get_first_parameter(ICalGLib.ParameterKind.TZID_PARAMETER).get_tzid()
    seconds = time.as_timet_with_zone(root.get_timezone(zone_id))
    return datetime.fromtimestamp(seconds, UTC).isoformat()


events, event = [], root.get_first_component(ICalGLib.ComponentKind.VEVENT_COMPONENT)
while event is not None:
    events.append(
        {
            "uid": event.get_uid(),
            "title": event.get_summary(),
            "start": when(event, ICalGLib.PropertyKind.DTSTART_PROPERTY, event.get_dtstart()),
            "end": when(event, ICalGLib.PropertyKind.DTEND_PROPERTY, event.get_dtend()),
            "status": event.get_status().value_nick.upper(),
        }
    )
    event = root.get_next_component(ICalGLib.ComponentKind.VEVENT_COMPONENT)
print(json.dumps(events))
