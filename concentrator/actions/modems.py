"""The modem's data connection as an action: how each stands."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence

from attrs import asdict, frozen

from concentrator.actions.table import Action, Permission


@frozen
class ModemState:
    """What people see of a modem's data connection: its `name`; how it stands (such as "Connected") and whether data
    goes; what is wrong in a sentence; the `radio` (off, searching or registered); the network and the signal in percent
    (None: not known); NetworkManager's name for the connection."""

    name: str
    standing: str
    is_connected: bool = False
    trouble: str = ""
    radio: str = "off"
    operator: str = ""
    signal: int | None = None
    connection: str = ""


def modem_actions(states: Callable[[], Sequence[ModemState]]) -> Iterable[Action]:
    """`modem.state`."""

    def shown() -> list[dict[str, object]]:
        return [asdict(state) for state in states()]

    return (Action("modem.state", "The modem's data connection: how each stands.", Permission.READ, (), shown),)
