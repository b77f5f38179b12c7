"""Calendar and bookings for local SEND partnerships."""
