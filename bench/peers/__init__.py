"""The peers: what a user would pick today, in its default behaviour. Each is a program of its own."""
