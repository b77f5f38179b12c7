"""E-mail: a row in the outbox first, sent by the scheduler after the commit."""
