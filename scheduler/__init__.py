"""The scheduler: a short table of jobs. It holds no logic and no state."""
