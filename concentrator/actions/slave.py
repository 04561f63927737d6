"""The slave ports as actions: how each stands, and the register map."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence

from attrs import asdict, field, frozen

from concentrator.actions.table import Action, Permission


@frozen
class SlaveState:
    """What people see of a slave port: its `name`; `where` it answers ("line NAME" or "tcp:PORT") and at which Modbus
    ID (`unit`); what it `serves` ("map" or "mirror") and, of a mirror, of which `device`; whether it may be written to
    (`is_writable`), whether it can be reached (`is_open`) and what is wrong in a sentence; the addresses of its
    `clients`; its figures: requests that read and wrote, and those refused, by exception code; when it was last asked
    (UTC seconds, None: not yet); and the `figures` of its line or port, which others there share."""

    name: str
    where: str
    unit: int
    serves: str
    device: str = ""
    is_writable: bool = False
    is_open: bool = False
    trouble: str = ""
    clients: Sequence[str] = ()
    reads: int = 0
    writes: int = 0
    refused: Mapping[str, int] = field(factory=dict)
    last_asked: float | None = None
    figures: Mapping[str, int] = field(factory=dict)


def slave_actions(
    states: Callable[[], Sequence[SlaveState]], mapped: Callable[[], Mapping[str, object]]
) -> tuple[Action, ...]:
    """`slave.states` and `slave.map`. `mapped` gives the map as JSON can carry it."""
    return (
        Action(
            "slave.states",
            "Every slave port: where it answers, who is connected, and what it was asked.",
            Permission.READ,
            (),
            lambda: [asdict(state) for state in states()],
        ),
        Action(
            "slave.map",
            "The register map of the slave ports: every register with its type and meaning, and every device's window.",
            Permission.READ,
            (),
            mapped,
        ),
    )
