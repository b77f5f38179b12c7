"""Closing dates that schools answer: who owes a return, who has answered, whom to chase."""
