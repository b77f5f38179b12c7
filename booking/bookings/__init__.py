"""Who comes: bookings, their places, and the waiting list."""
