"""What goes wrong, and when: a schedule of faults that a seed decides. Pure; how each is done to real processes is said
in `tests.whole.chaos`."""

from __future__ import annotations

import random
from collections.abc import Iterator

from attrs import frozen

HOUR_S = 3600.0

KINDS: dict[str, tuple[float, float]] = {
    "kill": (0.0, 2.0),
    "kill again": (0.0, 0.3),
    "stop": (0.0, 0.5),
    "freeze": (0.5, 8.0),
    "broker killed": (0.5, 10.0),
    "broker stopped": (0.0, 3.0),
    "broker frozen": (0.5, 10.0),
    "mqtt cut": (0.0, 0.0),
    "mqtt hole": (0.5, 15.0),
    "ftp killed": (0.5, 10.0),
    "ftp odd": (2.0, 10.0),
    "ftp cut": (0.0, 0.0),
    "ftp hole": (0.5, 15.0),
    "disk full": (0.5, 8.0),
    "clock forward": (0.0, 0.0),
    "clock back": (0.0, 0.0),
    "page overwritten": (0.0, 0.5),
    "log overwritten": (0.0, 0.5),
    "restored": (0.0, 0.5),
}
"""Every kind of fault, and the least and most seconds it lasts (0: it is over at once)."""

ODD_SERVERS = {
    "pyftpdlib": ("login", "stor", "die=400", "rnto", "size", "epsv", "short=300", "stall", "latin"),
    "vsftpd": ("login", "stor", "size", "epsv", "list"),
}
"""How each FTP server may misbehave: the faults of `tests.support.ftp_servers`."""

RESTORATIONS = ("file", "folder in place", "folder anew")
"""What is put back from a copy: the journal's file and log; all of the journal, over what is there; all of it, anew."""


@frozen
class Fault:
    """One fault: `after_s` seconds after the one before it began, for `lasts_s` seconds. `step_s`: by how much the
    clock is set; `choice`: a number in [0, 1) for whatever else is to be chosen, so that the seed
    decides that as well."""

    number: int
    kind: str
    after_s: float
    lasts_s: float
    step_s: float
    choice: float

    def chosen(self, among: int) -> int:
        """An index below `among`."""
        return int(self.choice * among)

    def __str__(self) -> str:
        lasting = f" for {self.lasts_s:.1f} s" if self.lasts_s else ""
        by = f" by {self.step_s:+.1f} s" if self.step_s else ""
        return f"{self.number:3d} {self.kind}{by}{lasting}"


def schedule(seed: int, count: int, pace: float = 1.0) -> Iterator[Fault]:
    """`count` faults, in rounds in which every kind comes once; a `pace` above 1 shortens pauses and faults."""
    chance = random.Random(seed)
    number = 0
    while True:
        kinds = list(KINDS)
        chance.shuffle(kinds)
        for kind in kinds:
            if number == count:
                return
            number += 1
            least_s, most_s = KINDS[kind]
            yield Fault(
                number,
                kind,
                after_s=_after_s(chance) / pace,
                lasts_s=chance.uniform(least_s, most_s) / pace,
                step_s=_step_s(kind, chance),
                choice=chance.random(),
            )


def _after_s(chance: random.Random) -> float:
    """Mostly short, so that faults meet each other; now and then long enough for some intervals and a file."""
    return chance.uniform(8.0, 25.0) if chance.random() < 0.2 else chance.uniform(0.2, 6.0)


def _step_s(kind: str, chance: random.Random) -> float:
    """NTP's small corrections, and the large ones of a clock without a battery."""
    if not kind.startswith("clock"):
        return 0.0
    most_s = chance.choice((2.0, 30.0, HOUR_S, 3 * HOUR_S))
    return chance.uniform(0.1, most_s) * (-1 if kind == "clock back" else 1)
