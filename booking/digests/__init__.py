"""The weekly mail of what is coming up, and the page of it."""
