"""Figures that the journal tells."""

from __future__ import annotations

from attrs import frozen


@frozen
class Counts:
    """What people see of the journal: its id, the highest number on the disk, records waiting for the disk, records
    lost because it did not take them, writes done and writes failed since the start."""

    journal: str
    synced: int
    pending: int
    lost: int
    commits: int
    failures: int


@frozen
class Expired:
    """What an expiry took: records deleted, and for each reader how many of them it had not settled."""

    records: int
    lost: dict[str, int]
