"""Spreadsheets in: from bytes to readings (pure), and from readings to the calendar."""
