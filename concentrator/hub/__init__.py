"""The present: readings as they come, and the newest of each."""
