"""The public calendar as JSON: for school websites and other people's programs. Reading only."""
