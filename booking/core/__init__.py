"""What every slice stands on: settings, database, clock, text, guards."""
