"""The cloud sessions of gensets as actions: how each stands with all that is known of it, and its factory settings."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence

from attrs import asdict, field, frozen

from concentrator.actions.schema import Argument, Kind
from concentrator.actions.table import Action, Caller, Permission


@frozen
class CloudState:
    """What people see of a cloud session.

    `name` of its section, `device`; how it stands in words (`standing`), whether its server knows it (`is_logged_in`)
    and takes data (`is_online`); where it registers (`server`), and where live data and history go ("HOST:PORT", empty:
    not said); the modem's `hostid` and `hostname`; the controller's `model`, the kind of its module by number and in
    words, port and baud rate in force (`port`, `baudrate`), whether it is being looked for; how often it uploads
    (`rate_s`, seconds) and what (`mode`: changes or full), the commands the server wants read always and once; the
    `location` (longitude, latitude, altitude in m, `source`: manual or gps; None: not told) with the `satellites` of a
    receiver; the module's time as its time zone has it; what it was asked to keep of its inputs; the `figures` of what
    it did; and `described`: what else the settings say of the genset.
    """

    name: str
    device: str
    standing: str
    is_logged_in: bool
    is_online: bool
    server: str
    hostid: str
    hostname: str
    model: str
    module_type: int
    module_type_name: str
    port: str
    baudrate: int | None
    is_searched_for: bool
    rate_s: float
    mode: str
    module_time: str
    since: str = ""
    live: str = ""
    history: str = ""
    always: Sequence[str] = ()
    once: Sequence[str] = ()
    location: Mapping[str, object] | None = None
    satellites: int | None = None
    inputs: Mapping[str, bool] = field(factory=dict)
    figures: Mapping[str, object] = field(factory=dict)
    described: Mapping[str, object] = field(factory=dict)


def smartgen_actions(
    states: Callable[[], Sequence[CloudState]], reset: Callable[[str, Caller], object]
) -> Iterable[Action]:
    """`smartgen.sessions` and `smartgen.reset_defaults`. `reset(session, caller)` takes all keys but the device's out
    of a section, on behalf of the caller, or raises Unknown."""

    def shown() -> list[dict[str, object]]:
        return [asdict(state) for state in states()]

    session = Argument("session", Kind.TEXT, "the session: NAME of its section [smartgen.NAME]", least=1)
    return (
        Action(
            "smartgen.sessions",
            "Every cloud session of a genset: how it stands, what its server wants, what was uploaded, and the modem's "
            "own parameters.",
            Permission.READ,
            (),
            shown,
        ),
        Action(
            "smartgen.reset_defaults",
            "Puts a cloud session back to its factory settings: all keys but its device, server and password among "
            "them; port and baud rate that were found or that its server wanted are forgotten.",
            Permission.CONFIG,
            (session,),
            lambda caller, session: reset(session, caller),
            heeds_caller=True,
        ),
    )
