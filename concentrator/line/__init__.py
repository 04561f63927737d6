"""The wire: who holds it, when it may be used, and what went over it. Knows bytes and time, no protocol."""
