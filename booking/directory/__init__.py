"""Who there is: areas, schools, people, and what they may do."""
