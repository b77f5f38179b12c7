"""Reminders of sessions: rules, what is due, and posting it."""
