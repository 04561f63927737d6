"""What a simulated bus tells about one request: the record by which a master is measured from outside, and its log."""

from __future__ import annotations

import json
from collections.abc import Mapping
from enum import StrEnum
from typing import Any

from attrs import asdict, frozen


class Status(StrEnum):
    """What became of a request. ok, refused (an exception was the answer), silent (nobody answers at this address),
    broadcast, damaged (no intact frame), collided (two spoke at once), unseen (it began before 3.5 characters of
    silence, and the slaves are strict); or what was done to its reply: crc, noise, late."""

    OK = "ok"
    REFUSED = "refused"
    SILENT = "silent"
    BROADCAST = "broadcast"
    DAMAGED = "damaged"
    COLLIDED = "collided"
    UNSEEN = "unseen"
    CRC = "crc"
    NOISE = "noise"
    LATE = "late"


@frozen
class Exchange:
    """One request as it was on the wire, and what came of it.

    Moments in seconds: `began` and `ended` of the request, `reply_began` and `reply_ended` where there was one;
    `gap_s`: silence between the end of whatever was on the wire before and the request (None for the first);
    `is_early`: whether that was less than 3.5 characters; `count` registers from `address` where the request has
    them; `lag_s`: the most by which this simulator was late in handing a byte over.
    """

    began: float
    ended: float
    gap_s: float | None
    is_early: bool
    unit: int
    function: int
    address: int
    count: int
    length: int
    status: Status
    reply_began: float | None = None
    reply_ended: float | None = None
    reply_length: int = 0
    lag_s: float = 0.0

    def as_fields(self) -> dict[str, Any]:
        """Its fields, JSON-able."""
        return asdict(self, recurse=False)

    @classmethod
    def from_fields(cls, fields: Mapping[str, Any]) -> Exchange:
        """The exchange that `as_fields` described."""
        return cls(**{**fields, "status": Status(fields["status"])})


def as_line(exchange: Exchange) -> str:
    """The exchange as a line of a log."""
    return json.dumps(exchange.as_fields()) + "\n"


def from_log(text: str) -> list[Exchange]:
    """The exchanges of a log that may still be written: a last line without its end is left out."""
    whole, _, _ = text.rpartition("\n")
    return [Exchange.from_fields(json.loads(line)) for line in whole.splitlines()]
