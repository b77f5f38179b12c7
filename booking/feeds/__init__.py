"""iCalendar addresses that people subscribe to."""
