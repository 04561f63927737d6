"""How many bytes each uplink has carried in each month, as the journal's file keeps it. Hides where it lies there."""

from __future__ import annotations

import json
from collections.abc import Mapping

from concentrator.journal.tables import Tables

_NAME = "traffic."


def load(tables: Tables, uplink: str) -> dict[str, tuple[int, int]]:
    """Month, such as "2026-11" → bytes received and sent; empty where nothing was kept."""
    row = tables.sql.execute("SELECT value FROM fact WHERE name = ?", (_NAME + uplink,)).fetchone()
    kept: dict[str, list[int]] = json.loads(row[0]) if row else {}
    return {month: (received, sent) for month, (received, sent) in kept.items()}


def keep(tables: Tables, uplink: str, months: Mapping[str, tuple[int, int]]) -> None:
    """Notes the counts in place of what was kept before."""
    tables.sql.execute("INSERT OR REPLACE INTO fact VALUES (?, ?)", (_NAME + uplink, json.dumps(months)))
