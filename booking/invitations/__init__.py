"""Schools invited to an event: whom we wrote to, and who has booked, said no, or not answered."""
