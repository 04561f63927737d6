"""The transparent gateways as actions: how each stands with everything it counts, and throwing a client out."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import asdict, field, frozen

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Permission


@frozen
class GatewayState:
    """What people see of a gateway: its `name` and `line`, where it is `listening` (such as "tcp:10001"), how it stands
    (such as "Waiting" or "Connected"), the address of its `client` and how many wait behind it, what is wrong in a
    sentence, its `mode`, and its figures with the words of the CMe3000's pages: `statistics` of the tunnel, and those
    of its serial line, each as (receiver, transmitter), None where there is none or it is not counted here."""

    name: str
    line: str
    listening: Sequence[str]
    standing: str
    client: str = ""
    queued: int = 0
    trouble: str = ""
    mode: Mapping[str, object] = field(factory=dict)
    statistics: Mapping[str, object] = field(factory=dict)
    serial: Mapping[str, tuple[int | None, int | None]] = field(factory=dict)


def gateway_actions(
    states: Callable[[], Sequence[GatewayState]], disconnect: Callable[[str], None]
) -> Iterable[Action]:
    """`mbus.gateways` and `mbus.gateway.disconnect`. `disconnect(name)` throws the client of a gateway out, or raises
    Unknown."""

    def thrown_out(name: str) -> list[dict[str, object]]:
        disconnect(name)
        return shown()

    def shown() -> list[dict[str, object]]:
        return [asdict(state) for state in states()]

    name = Argument("name", Kind.TEXT, "the gateway: NAME of its section [mbus_gateway.NAME]", least=1)
    return (
        Action(
            "mbus.gateways",
            "Every transparent gateway: how it stands, who is connected, and its statistics.",
            Permission.READ,
            (),
            shown,
        ),
        Action(
            "mbus.gateway.disconnect",
            "Throws out whoever is connected to a transparent gateway; gives what mbus.gateways gives.",
            Permission.SYSTEM,
            (name,),
            thrown_out,
        ),
    )
