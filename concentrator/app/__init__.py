"""Assembly and the command line: the only place that knows concrete classes, the reactor and the clocks."""

DEFAULT_CONFIG = "/etc/ccmaster/ccmaster.toml"
"""The configuration file where none is named."""

JOURNAL = "journal.db"
"""The journal's file in the state folder."""
