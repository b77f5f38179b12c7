"""What is on: events and what they are made of, the school year, the planner, iCalendar."""
