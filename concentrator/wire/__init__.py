"""Bytes ↔ meaning: every protocol as functions and generators, without a clock, a socket or a file."""
